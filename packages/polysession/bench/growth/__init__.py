"""How cost grows: with the sessions in the store, and with those of one principal."""
