"""What people look at: terminal, TensorBoard, Markdown and HTML, all from the same records."""
