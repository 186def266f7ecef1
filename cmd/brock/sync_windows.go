package main

// syncDir does nothing: NTFS logs changes of a directory by itself.
func syncDir(string) error { return nil }
