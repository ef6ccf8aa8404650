"""Programs as the text of statements: functions without loops, and between them calls of what is none."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from riemopt.kernels.graph.nodes import Node, nodes_of
from riemopt.kernels.graph.programs import Part, parts_of
from riemopt.kernels.text.expressions import call_text, emit, item_of, number

__all__ = ["Statements", "function", "indented", "listed", "unpacked"]


class Statements:
    """What a place in a loop computes, as functions without loops, and calls of parts between them.

    Parameters
    ----------
    name : str
        What the names of the functions begin with.
    parts : mapping of Part to str
        What parts are called in the text.

    Attributes
    ----------
    functions : list of str
        The text of the functions.
    """

    def __init__(self, name: str, parts: Mapping[Part, str]) -> None:
        self.name, self.parts = name, parts
        self.functions: list[str] = []

    def __call__(self, outputs: Iterable[Node], names: dict[Node, str], later: Iterable[Node] = ()) -> list[str]:
        """The statements that compute some outputs.

        Parameters
        ----------
        outputs : iterable of Node
            What to compute.
        names : dict of Node to str
            What is known already by its name in the text. The names of the outputs are added.
        later : iterable of Node
            What is computed afterwards: what it shares with the outputs is added to the names, too.
        """
        outputs = list(outputs)
        whole = nodes_of([*outputs, *later], names)
        lines = self._calls(outputs, whole, names)
        missing = [node for node in dict.fromkeys(outputs) if node not in names]
        return lines + self._computed(missing, whole, names)

    def together(self, outputs: Sequence[Node], names: dict[Node, str]) -> tuple[list[str], str]:
        """The statements before it, and the text of a tuple of all outputs."""
        lines = self._calls(outputs, nodes_of(outputs, names), names)
        return lines, self._call(outputs, names)

    def _calls(self, outputs: Sequence[Node], whole: Sequence[Node], names: dict[Node, str]) -> list[str]:
        """The statements that call the parts that some outputs need."""
        lines = []
        for call in [node for node in nodes_of(outputs, names) if node.op == "part"]:
            arguments = [arg for arg in dict.fromkeys(call.args) if arg not in names and not arg.is_constant]
            lines += self._computed(arguments, whole, names)
            given = [number(arg.value) if arg.is_constant else names[arg] for arg in call.args]
            found = f"c{call.index}"
            lines.append(f"{found} = {call_text(call.value, self.parts[call.value], given)}")
            names.update({item: item_of(item, found) for item in whole if item.op == "item" and item.args == (call,)})
        return lines

    def _computed(self, missing: Sequence[Node], whole: Sequence[Node], names: dict[Node, str]) -> list[str]:
        """A call of one function for what is missing, and for what the whole shares with it."""
        if not missing:
            return []
        made = {node for node in nodes_of(missing, names) if node not in names and not node.is_constant}
        rest = [node for node in whole if node not in made and node not in names]
        shared = {arg for node in rest for arg in node.args if arg in made}
        results = list(dict.fromkeys([*missing, *sorted(shared, key=lambda node: node.index)]))
        found = f"of_{self.name}_{len(self.functions)}"
        line = f"{found} = {self._call(results, names)}"
        names.update({node: f"{found}[{k}]" for k, node in enumerate(results)})
        return [line]

    def _call(self, outputs: Sequence[Node], names: Mapping[Node, str]) -> str:
        """The call of a function that returns some outputs; it takes what it needs by the names that it has here."""
        known = {node: names[node] for node in nodes_of(outputs, names) if node in names}
        # of a tuple all
        arguments = list(dict.fromkeys(text.partition("[")[0] for text in known.values()))
        name = f"{self.name}_{len(self.functions)}"
        self.functions.append(function(name, arguments, [], outputs, known, self.parts, listed))
        return f"{name}({', '.join(arguments)})"


def function(
    name: str,
    arguments: Sequence[str],
    lines: Sequence[str],
    outputs: Sequence[Node],
    names: dict[Node, str],
    parts: Mapping[Part, str],
    result: Callable[[Sequence[str]], str],
) -> str:
    """The text of a function, without loops if it calls no parts.

    Parameters
    ----------
    name : str
        Its name.
    arguments : sequence of str
        What it takes.
    lines : sequence of str
        What it does first.
    outputs : sequence of Node
        What it computes.
    names : dict of Node to str
        What is known then, by its name.
    parts : mapping of Part to str
        What parts are called in the text.
    result : callable
        What it returns, from the names of the outputs.
    """
    before: list[str] = []
    if parts_of(outputs, names):
        statements = Statements(f"{name}_values", parts)
        body = statements(outputs, names)
        before, kind, values = statements.functions, "@plain", [names[node] for node in outputs]
    else:
        body = emit(outputs, names, parts)
        kind, values = "@straight", [f"spread({names[node]})" for node in outputs]
    text = [kind, f"def {name}({', '.join(arguments)}):", *indented([*lines, *body, f"return {result(values)}"], 1), ""]
    return "\n\n".join([*before, "\n".join(text)])


def indented(lines: Iterable[str], depth: int) -> list[str]:
    """Statements inside a block."""
    return [depth * "    " + line for line in lines]


def listed(names: Iterable[str]) -> str:
    """The text of a tuple."""
    return f"({''.join(f'{name}, ' for name in names)})"


def unpacked(names: Sequence[str], source: str) -> list[str]:
    """The statements that give the entries of a tuple their names."""
    return [f"{listed(names)[1:-1]} = {source}"] if names else []
