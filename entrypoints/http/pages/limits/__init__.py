"""The limits of types: in words, and as a form in which an operator sets others."""
