"""The commands of `./huifang`, one module per noun."""
