"""What both base peers answer: the question's first word says how, the rest is the text.

A step is ("piece", text, is_final), ("wait", seconds), ("end",), ("cut",), ("garbage",) or
("error", name).
"""


def steps(message):
    kind, _, rest = message.partition(" ")
    if kind == "final-text":  # the last piece of text rides on the final one
        return [("piece", "first ", False), ("piece", "last", True)]
    if kind == "unfinished":  # ends well, but nobody said that it was final
        return [("piece", "half an ", False), ("end",)]
    if kind == "cut-late":
        return [("piece", "half an ", False), ("cut",)]
    if kind == "cut-early":
        return [("cut",)]
    if kind == "garbage":  # after a good piece, something that is not the protocol
        return [("piece", "good ", False), ("garbage",), ("wait", 0.2)]
    if kind == "empty":
        return [("piece", "", True)]
    if kind == "endless":
        return [("piece", "and on ", False), ("wait", 0.01)] * 2000
    if kind == "silent":  # long enough for whoever waits to give up
        return [("wait", 1.0), ("end",)]
    if kind == "error":
        return [("error", rest)]
    pieces = [("piece", word + " ", False) for word in rest.split(" ")]
    return pieces + [("piece", "", True)]
