"""The template: from what is wanted to the resources of a stack. Pure functions; nothing here asks AWS."""
