"""What becomes of a finished run: plain files of its model, predictions, one more class."""
