"""What the processes say, seldom looked at: loaded by the first who does."""
