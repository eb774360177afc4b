"""One file a section of the report: from records to what its template shows, in the words a reader knows."""
