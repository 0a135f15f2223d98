"""Array expressions: one module per family of operations, each with its nodes and the functions that build them.

What it means, apart from how it is typed: builders take expressions, check what can be checked without computing, and
return expressions. Users' functions and methods in the package above wrap them.
"""
