"""Work that takes long: asked for now, done one after another, asked after later."""
