"""How notices leave the house: by e-mail and by web-hook."""
