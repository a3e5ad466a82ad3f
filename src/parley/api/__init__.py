"""What other programs ask of Parley over plain HTTP."""
