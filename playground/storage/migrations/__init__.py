"""How the store's tables came to be, one script a change; run by Alembic, see ``database``."""
