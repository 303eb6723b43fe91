"""The revisions, oldest first by their numbers; one that was released is never changed."""
