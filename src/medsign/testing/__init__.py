"""Tools for the tests of those who embed medsign; nothing in medsign imports them."""
