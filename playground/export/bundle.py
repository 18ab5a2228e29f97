"""Gathers the source of functions and all that they need into one text without imports of ours.

An exported script must do what the playground did, so it gets the very source that ran,
comments and all, not a second version to be kept alike. What is gathered are top-level
definitions of the package's modules, in an order in which each finds what it needs.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from graphlib import TopologicalSorter
from types import ModuleType
from typing import Final

PACKAGE: Final = "playground"

SCOPES: Final = (
    ast.FunctionDef,
    ast.ClassDef,
    ast.Lambda,
    ast.ListComp,
    ast.SetComp,
    ast.DictComp,
    ast.GeneratorExp,
)

Place = tuple[str, str]
"""A definition: its module's name and its own."""


@dataclass(frozen=True)
class Reference:
    """Text in a module that names a definition of the package: lines from 1, columns from 0."""

    target: Place
    line: int
    start: int
    end: int
    taken: frozenset[str]  # local names there, which the script's name must not be


@dataclass
class Definition:
    """One top-level statement of a module, with the comments before it."""

    first: int  # line, from 1
    last: int
    references: list[Reference] = field(default_factory=list)
    external: set[str] = field(default_factory=set)  # names of other packages' things


@dataclass
class Source:
    """One module, read."""

    name: str
    lines: list[str]
    definitions: dict[str, Definition]
    ours: dict[str, Place | str]  # imported name -> a definition, or a module's name
    external: dict[str, tuple[str, str]]  # imported name -> (module, name in it or "")


@cache
def read(name: str) -> Source:
    """The module ``name`` of the package, by its definitions and what each refers to."""
    module = importlib.import_module(name)
    text = inspect.getsource(module)
    tree = ast.parse(text)
    source = Source(name, text.splitlines(), {}, {}, {})
    for statement in tree.body:
        if isinstance(statement, ast.Import | ast.ImportFrom):
            _imports(statement, source)
    statements: dict[str, ast.stmt] = {}
    for before, statement in zip([None, *tree.body], tree.body, strict=False):
        defined = _defined(statement)
        if defined and defined != "__all__":
            statements[defined] = statement
            start = before.end_lineno or 0 if before else 0
            source.definitions[defined] = _definition(statement, start, source)
        elif _is_docstring(statement) and isinstance(before, ast.Assign | ast.AnnAssign):
            above = _defined(before)
            if above in source.definitions:
                source.definitions[above].last = statement.end_lineno or 0
    for own, statement in statements.items():
        _Finder(source, source.definitions[own], own).visit(statement)
    return source


def _imports(statement: ast.Import | ast.ImportFrom, source: Source) -> None:
    for alias in statement.names:
        local = alias.asname or alias.name
        if isinstance(statement, ast.Import):
            source.external[local] = (alias.name, "")
            continue
        module = statement.module or ""
        if module.split(".")[0] != PACKAGE:
            if module != "__future__":
                source.external[local] = (module, alias.name)
            continue
        value = getattr(importlib.import_module(module), alias.name)
        if isinstance(value, ModuleType):
            source.ours[local] = value.__name__
        else:
            source.ours[local] = (_home(module, alias.name), alias.name)


def _home(module: str, name: str) -> str:
    """The module that defines what ``module`` may only have imported."""
    source = read(module)
    if name in source.definitions:
        return module
    place = source.ours.get(name)
    if not isinstance(place, tuple):
        raise ValueError(f"{module}: {name} needs an assignment of its own")
    return place[0]


def _defined(statement: ast.stmt) -> str:
    """The name that a top-level statement defines; "" for others."""
    match statement:
        case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
            return name
        case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
            return name
    return ""


def _is_docstring(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def _definition(statement: ast.stmt, after: int, source: Source) -> Definition:
    """Its lines: decorators, and the comments that stand right above it."""
    decorators = getattr(statement, "decorator_list", [])
    first = min([statement.lineno, *(decorator.lineno for decorator in decorators)])
    while first - 1 > after and source.lines[first - 2].startswith("#"):
        first -= 1
    return Definition(first, statement.end_lineno or first)


class _Finder(ast.NodeVisitor):
    """Finds what one definition refers to, apart from its local names."""

    def __init__(self, source: Source, definition: Definition, own: str) -> None:
        self.source, self.definition, self.own = source, definition, own
        self.scopes: list[frozenset[str]] = []

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        for outside in (*node.decorator_list, *node.args.defaults, *node.args.kw_defaults):
            if outside is not None:
                self.visit(outside)
        self._inside([*_annotations(node), *node.body], _locals(node))

    def visit_Lambda(self, node: ast.Lambda) -> None:
        for default in node.args.defaults:
            self.visit(default)
        self._inside([node.body], frozenset(_arguments(node.args)))

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        for part in (*node.decorator_list, *node.bases, *node.keywords):
            self.visit(part)
        # A class's own names are seen in its body, but not in its methods.
        stored = {
            child.id
            for statement in node.body
            for child in _same_scope(statement)
            if isinstance(child, ast.Name) and isinstance(child.ctx, ast.Store)
        }
        for part in node.body:
            if isinstance(part, ast.FunctionDef):
                self.visit(part)
            else:
                self._inside([part], frozenset(stored))

    def _comprehension(self, node: ast.expr) -> None:
        names = {
            child.id
            for child in ast.walk(node)
            if isinstance(child, ast.Name) and isinstance(child.ctx, ast.Store)
        }
        self._inside(list(ast.iter_child_nodes(node)), frozenset(names))

    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = _comprehension  # noqa: N815

    def _inside(self, parts: Iterable[ast.AST], names: frozenset[str]) -> None:
        self.scopes.append(names)
        for part in parts:
            self.visit(part)
        self.scopes.pop()

    def _taken(self) -> frozenset[str]:
        return frozenset().union(*self.scopes)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        base = node.value
        if isinstance(base, ast.Name) and base.id not in self._taken():
            place = self.source.ours.get(base.id)
            if isinstance(place, str):
                if not hasattr(sys.modules[place], node.attr):
                    raise ValueError(f"{self.source.name}: no {node.attr} in {place}")
                self._refer((_home(place, node.attr), node.attr), node)
                return
        self.generic_visit(node)

    def visit_Name(self, node: ast.Name) -> None:
        if node.id in self._taken():
            return
        if node.id in self.source.definitions:
            # Its own name, too: where it calls itself, and where an assignment defines it.
            self._refer((self.source.name, node.id), node)
        elif isinstance(place := self.source.ours.get(node.id), tuple):
            self._refer(place, node)
        elif node.id in self.source.external:
            self.definition.external.add(node.id)

    def visit_Import(self, node: ast.Import) -> None:
        self._refuse([alias.name for alias in node.names])

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        self._refuse([node.module or ""])

    def _refuse(self, modules: Iterable[str]) -> None:
        """An import inside a function stays as it is, so it must not be one of ours."""
        if any(module.split(".")[0] == PACKAGE for module in modules):
            raise ValueError(f"{self.source.name}.{self.own} imports {PACKAGE} inside")

    def _refer(self, target: Place, node: ast.expr) -> None:
        assert node.end_col_offset is not None
        if node.lineno != node.end_lineno:
            raise ValueError(f"{self.source.name}: a name on two lines, {node.lineno}")
        line = self.source.lines[node.lineno - 1].encode()
        start, end = (  # columns in characters, not in bytes as ast counts
            len(line[:column].decode()) for column in (node.col_offset, node.end_col_offset)
        )
        self.definition.references.append(Reference(target, node.lineno, start, end, self._taken()))


def _annotations(node: ast.FunctionDef) -> Iterator[ast.AST]:
    arguments = node.args
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    every += [argument for argument in (arguments.vararg, arguments.kwarg) if argument]
    yield from (argument.annotation for argument in every if argument.annotation)
    if node.returns:
        yield node.returns


def _arguments(arguments: ast.arguments) -> Iterator[str]:
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    every += [argument for argument in (arguments.vararg, arguments.kwarg) if argument]
    yield from (argument.arg for argument in every)


def _locals(node: ast.FunctionDef) -> frozenset[str]:
    """Arguments and all that the function assigns, imports or defines."""
    names = set(_arguments(node.args))
    for child in (part for statement in node.body for part in _same_scope(statement)):
        if isinstance(child, ast.Name) and isinstance(child.ctx, ast.Store):
            names.add(child.id)
        elif isinstance(child, ast.FunctionDef | ast.ClassDef):
            names.add(child.name)
        elif isinstance(child, ast.ExceptHandler):
            names.add(child.name or "")
        elif isinstance(child, ast.Import | ast.ImportFrom):
            names |= {(alias.asname or alias.name).split(".")[0] for alias in child.names}
    return frozenset(names)


def _same_scope(node: ast.AST) -> Iterator[ast.AST]:
    """``node`` and what is in it, but not in a scope of its own."""
    yield node
    if not isinstance(node, SCOPES):
        for child in ast.iter_child_nodes(node):
            yield from _same_scope(child)


class Bundle:
    """Collects definitions; then :meth:`name` says what each is called, and :meth:`code` has all.

    ``taken`` are names that the script uses for itself.
    """

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self.taken = frozenset(taken)
        self.places: list[Place] = []

    def need(self, thing: object) -> Place:
        """Collect a function or class of the package, and all that it refers to."""
        module, name = thing.__module__, thing.__qualname__  # type: ignore[attr-defined]
        place = (_home(module, name), name)
        self._collect(place)
        return place

    def _collect(self, place: Place) -> None:
        if place in self.places:
            return
        self.places.append(place)
        module, name = place
        for reference in read(module).definitions[name].references:
            self._collect(reference.target)

    def _definitions(self) -> Iterator[tuple[Source, Definition]]:
        for module, name in self.places:
            source = read(module)
            yield source, source.definitions[name]

    def names(self) -> dict[Place, str]:
        """What each definition is called: its own name, with its module's where that is taken."""
        used: dict[str, list[Place]] = {}
        for place in self.places:
            used.setdefault(place[1], []).append(place)
        external = {name for _source, found in self._definitions() for name in found.external}
        shadowed = {
            reference.target
            for _source, found in self._definitions()
            for reference in found.references
            if reference.target[1] in reference.taken
        }
        names = {}
        for name, places in used.items():
            for place in places:
                alone = len(places) == 1 and name not in self.taken | external
                if alone and place not in shadowed:
                    names[place] = name
                else:
                    # A project's data module is called as its folder: coffee_load.
                    *_package, parent, stem = place[0].removesuffix(".data").split(".")
                    new = f"{stem}_{name.lstrip('_')}"
                    names[place] = f"{parent}_{new}" if new in names.values() else new
        if len(set(names.values())) < len(names):
            raise ValueError("two definitions would get one name")
        return names

    def imports(self) -> set[tuple[str, str, str]]:
        """(module, name in it or "", local name) of what other packages give."""
        return {
            (*source.external[name], name)
            for source, found in self._definitions()
            for name in found.external
        }

    def code(self) -> str:
        """All that was collected: modules in the order of their imports, each in its own order."""
        names = self.names()
        modules = {module for module, _name in self.places}
        order = TopologicalSorter(
            {
                module: {
                    place if isinstance(place, str) else place[0]
                    for place in read(module).ours.values()
                }
                for module in modules
            }
        )
        blocks = []
        for module in order.static_order():
            source = read(module)
            wanted = [name for name in source.definitions if (module, name) in names]
            blocks += [_text(source, name, names) for name in wanted]
        return "\n\n\n".join(blocks)


def _text(source: Source, name: str, names: dict[Place, str]) -> str:
    """The definition's lines, with what they refer to by its name in the script."""
    definition = source.definitions[name]
    lines = source.lines[definition.first - 1 : definition.last]
    edits = [
        (reference.line, reference.start, reference.end, names[reference.target])
        for reference in definition.references
    ]
    for line, start, end, text in sorted(set(edits), reverse=True):
        at = line - definition.first
        lines[at] = lines[at][:start] + text + lines[at][end:]
    new = names[(source.name, name)]
    # An assignment's name has been changed with the others; a def or class is no reference.
    heading = re.compile(rf"(?P<what>def|class) {name}\b")
    return "\n".join(
        heading.sub(rf"\g<what> {new}", line) if heading.match(line) else line for line in lines
    )


__all__ = ["Bundle"]
