"""The month's sheet as text, CSV, XLSX and HTML: one layout, four writers, two languages."""
