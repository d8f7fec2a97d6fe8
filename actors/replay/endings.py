"""How a task can end otherwise than with its document. Who starts one knows these without what they come from."""


class NothingRecordedError(Exception):
    """The recording does not tell of this; the text says so."""


class NotWrittenError(Exception):
    """The page could not be written; the text says why."""
