"""The order as a document 《接处警电话回访交办单》, as DOCX from the bureau's own template (O34, O35).

content (an order as one reader may see it → texts) → docx (texts + template → file); template checks what a bureau has made and
explains the fields; letterhead builds the template that is shipped, after GB/T 9704.
"""
