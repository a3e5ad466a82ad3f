"""What the page's scripts ask of the server besides the stream of an answer, by subject."""
