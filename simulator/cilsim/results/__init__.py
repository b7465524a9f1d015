"""What a run leaves behind: plain files, written atomically, checked when they are read again."""
