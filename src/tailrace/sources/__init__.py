"""Where records come from: files, folders, standard input, memory."""
