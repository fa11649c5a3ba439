"""What tokens are parts of: a text, a picture. One file a surface; `registry` lists them."""
