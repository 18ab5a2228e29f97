"""The class board: the best of a class, side by side.

Students come by choice, under a nickname; who sees the board knows the teacher's secret.
Without a secret there is no board.
"""
