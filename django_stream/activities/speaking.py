"""A name that migrations made by earlier versions hold among the bases of a model."""


class SpeaksActivity:
    """Nothing: migrations made since do not name it."""
