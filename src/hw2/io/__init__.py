"""Reading and writing files: atomic writes, record formats, file trees, downloads."""
