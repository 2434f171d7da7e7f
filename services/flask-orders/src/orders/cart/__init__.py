"""What somebody is about to order: the session attribute ``cart``."""
