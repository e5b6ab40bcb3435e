"""What people say on the telephone, as tables: one module for each language."""
