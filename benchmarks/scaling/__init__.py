"""Time and memory against numbers of classes, experiences and samples."""
