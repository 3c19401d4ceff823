"""Codes over a group: orbits of checks and data qubits, and matrices of polynomials that say who meets whom."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from functools import cached_property
from itertools import chain
from typing import Self

import numpy as np
from numpy.typing import NDArray

from cascade_qec.codes import gf2
from cascade_qec.codes.abelian import AbelianGroup
from cascade_qec.codes.basis import BASES, Basis, opposite
from cascade_qec.codes.css import CSSCode, Operators, frozen
from cascade_qec.codes.duality import Duality, Edges, duality_of
from cascade_qec.codes.edges import edge_colours
from cascade_qec.codes.frame import ABSENT_PLACE, PRIMARY, SECONDARY, Frame, SpaceRelations
from cascade_qec.codes.logicals import light_logicals, low_weight_logicals
from cascade_qec.codes.polynomial import Matrix, Terms, check_size, group_of, parse_matrix
from cascade_qec.codes.schedule import Schedule
from cascade_qec.errors import CascadeError

# Information sets that the search for logicals tries after the last one that made progress.
SEARCH_ROUNDS = 200
# Those that the search for all light ones tries; the last one of bb108 turned up in the 43rd of 37,000.
LIGHT_ROUNDS = 50
# Operators at which it stops: the memory that a readout takes grows with them.
MOST_LIGHT = 4096

# Schedules of each depth that are drawn in search of one that measures the checks.
_DRAWS = 2000

# So much heavier than the observables the operators may be.
_HEAVIER: dict[Operators, tuple[int, ...]] = {"lightest": (0,), "light": (0, 2)}


class GroupCode(CSSCode):
    """Code whose checks and data qubits are orbits of a group: of x and y with x^l = y^m = 1, or of more generators.

    The group is abelian, and its element x^i y^j has index g = i * m + j, and so on with more generators: the last
    exponent counts fastest. Each row of a matrix is an orbit of checks, and each column one of data qubits; of a group
    of N elements check g of row r is check r * N + g, and so with qubits. Check g of a row meets qubit g * t of a
    column for every term t of the entry. Terms, the edges between orbits, have colours: a qubit is met through one
    colour once at most, by checks of both bases. Slots are the colours of one basis in the order in which they come, so
    that those of a single row are its terms in the order written.

    From the matrices follow the lattice, its translations and, where there is one, the duality of X and Z.

    Parameters
    ----------
    group
        The order of each generator, x, y, z, w, v, u, t and s, as many as there are; a number for a cyclic group.
    x, z
        Matrices of X and of Z checks.
    name, family
        As `CSSCode` has them.
    d
        Distance if known. :meth:`logicals` then stops at this weight, and raises a :class:`CascadeError` if the
        lightest operator that it finds has another: without a duality, a lower one.
    colours
        Of the terms of each matrix, row by row and in the order written; by default as few as can be.
    layers
        The layer of CNOTs in which X checks go through each of their slots, and then Z checks; see `schedule`. By
        default all X checks come first, slot by slot.

    Attributes
    ----------
    group : tuple of int
        (l, 1) for a cyclic one.
    layers : tuple of int

    Raises
    ------
    CascadeError
        If an order is no positive integer, the matrices do not fit together, a polynomial cannot be read or has a term
        twice, the checks do not commute, or no logical qubit is encoded (k = 0).

    Examples
    --------
    >>> toric = GroupCode((3, 3), [["1 + x", "1 + y"]], [["1 + y^-1", "1 + x^-1"]], name="mine", family="mine")
    >>> toric.n, toric.k
    (18, 2)
    """

    convolution = "bipartite"
    _given: str | None = None  # what the code was made of, for errors

    def __init__(
        self,
        group: int | Sequence[int],
        x: Matrix,
        z: Matrix,
        *,
        name: str,
        family: str,
        d: int | None = None,
        colours: Mapping[Basis, Sequence[int]] | None = None,
        layers: Sequence[int] | None = None,
    ) -> None:
        self.group = group_of(group)
        of_x, of_z = (parse_matrix(matrix, self.group) for matrix in (x, z))
        check_size(self.group, max(len(of_x), len(of_z), len(of_x[0]), len(of_z[0])))
        self._table = AbelianGroup(self.group)
        self._size = self._table.size
        self._light: dict[tuple[Basis, int], NDArray[np.uint8]] = {}
        if len(of_x[0]) != len(of_z[0]):
            raise CascadeError(
                f"expected matrices with as many columns, got {len(of_x[0])} of X and {len(of_z[0])} of Z"
            )
        self._columns = len(of_x[0])
        self._rows: dict[Basis, int] = {"X": len(of_x), "Z": len(of_z)}
        self._edges: dict[Basis, Edges] = {"X": self._edges_of(of_x), "Z": self._edges_of(of_z)}
        self._colours = self._joint_colours() if colours is None else {b: list(colours[b]) for b in BASES}
        self._slot_colours: dict[Basis, list[int]] = {b: list(dict.fromkeys(self._colours[b])) for b in BASES}
        self._check_commuting()
        # On paper, the first generator goes one way, and all others go the other way side by side.
        height = max(self._rows.values())
        i, j = np.divmod(np.arange(self._size), self._size // self.group[0])
        super().__init__(
            name=name,
            family=family,
            d=d,
            neighbours={basis: self._meets(basis)[:, slots] for basis, slots in self._slot_colours.items()},
            check_coords={
                basis: np.concatenate([np.stack([height * i + row, j], axis=1) for row in range(rows)])
                for basis, rows in self._rows.items()
            },
            qubit_coords=np.concatenate([np.stack([0 * i + c, i, j], axis=1) for c in range(self._columns)]),
        )
        if self.k == 0:
            raise CascadeError(f"expected a code with logical qubits, but {self._given or name} gives k = 0")
        self.layers = self._checked(self._usual_layers if layers is None else layers)

    def _edges_of(self, matrix: list[list[Terms]]) -> Edges:
        entries = [(row, column, terms) for row, whole in enumerate(matrix) for column, terms in enumerate(whole)]
        return [(row, column, int(self._table.index(term))) for row, column, terms in entries for term in terms]

    def _check_commuting(self) -> None:
        for (row_x, row_z, _), slots in self._meetings().items():
            if len(slots) % 2:
                raise CascadeError(f"expected checks that commute, but X row {row_x} and Z row {row_z} do not")

    def _meetings(self) -> dict[tuple[int, int, int], list[tuple[int, int]]]:
        """The slots of X and Z at each qubit that two checks share, by the checks' rows and the step between them."""
        slot = {b: [self._slot_colours[b].index(colour) for colour in self._colours[b]] for b in BASES}
        found: dict[tuple[int, int, int], list[tuple[int, int]]] = {}
        for (row_x, column_x, term_x), slot_x in zip(self._edges["X"], slot["X"], strict=True):
            for (row_z, column_z, term_z), slot_z in zip(self._edges["Z"], slot["Z"], strict=True):
                if column_x == column_z:
                    pair = row_x, row_z, self._table.quotient(term_x, term_z)
                    found.setdefault(pair, []).append((slot_x, slot_z))
        return found

    def _joint_colours(self) -> dict[Basis, list[int]]:
        # Those of X take their colours first, so that those of a single row are in the order written.
        both = [*self._edges["X"], *((self._rows["X"] + row, column, term) for row, column, term in self._edges["Z"])]
        colours = edge_colours(both).tolist()
        return {"X": colours[: len(self._edges["X"])], "Z": colours[len(self._edges["X"]) :]}

    def _meets(self, basis: Basis) -> NDArray[np.int64]:
        """The data qubit that each check meets through each colour: int64 [checks, colours], -1 where there is none."""
        colours = 1 + max(max(each, default=-1) for each in self._colours.values())
        return self._lifted(self._edges[basis], self._colours[basis], self._rows[basis], colours)

    def _lifted(self, edges: Edges, colours: Sequence[int], rows: int, most: int) -> NDArray[np.int64]:
        """Who meets whom through each colour of some edges: int64 [rows * elements, most], -1 where there is none."""
        table = np.full((rows, self._size, most), ABSENT_PLACE)
        for (row, column, element), colour in zip(edges, colours, strict=True):
            table[row, :, colour] = column * self._size + self._table.times[:, element]
        return table.reshape(rows * self._size, most)

    @cached_property
    def translations(self) -> NDArray[np.int64]:
        """Where each element of the group takes each data qubit, int64 [elements, n]; the first leaves all in place."""
        return self._translated_orbits(self._columns)

    def check_translations(self, basis: Basis) -> NDArray[np.int64]:
        return self._translated_orbits(self._rows[basis])

    def _translated_orbits(self, orbits: int) -> NDArray[np.int64]:
        return frozen(np.hstack([self._table.times + orbit * self._size for orbit in range(orbits)]), np.int64)

    @cached_property
    def duality(self) -> Duality | None:
        """A symmetry that exchanges X with Z: it permutes rows and columns, and inverts the group or leaves it alone.

        None where there is none.
        """
        return duality_of(self._table, self._edges, self._rows, self._columns)

    @property
    def schedule(self) -> Schedule:
        """The slots in their `layers`.

        Any order will do in which no two gates of a layer meet, and the X check comes first at an even number of the
        qubits that an X and a Z check share: so the checks are measured as they stand.
        """
        by_slot = self._slot_layers
        slots: dict[Basis, list[int | None]] = {b: [None] * (1 + max(chain(*by_slot.values()))) for b in BASES}
        for basis in BASES:
            for slot, layer in enumerate(by_slot[basis]):
                slots[basis][layer] = slot
        return Schedule(x=tuple(slots["X"]), z=tuple(slots["Z"]))

    def with_layers(self, layers: Sequence[int]) -> Self:
        """The code with another schedule of this kind."""
        other = copy(self)
        other.layers = self._checked(layers)
        return other

    def orders(self, seed: int = 0) -> Iterator[Self]:
        """The code with schedules drawn at random, short ones first: without an end."""
        rng = np.random.default_rng(seed)
        slots = [len(self._slot_colours[basis]) for basis in BASES]
        for depth in range(max(map(max, self._colours.values())) + 1, sum(slots)):
            for _ in range(_DRAWS):
                layers = [*rng.permutation(depth)[: slots[0]], *rng.permutation(depth)[: slots[1]]]
                if max(slots) <= depth and self._measurable(layers):
                    yield self.with_layers(layers)
        while True:
            yield self.with_layers([*rng.permutation(slots[0]), *(slots[0] + rng.permutation(slots[1]))])

    @property
    def _usual_layers(self) -> Sequence[int]:
        return range(sum(map(len, self._slot_colours.values())))

    @property
    def _slot_layers(self) -> dict[Basis, list[int]]:
        """The layer of each slot."""
        of_x = len(self._slot_colours["X"])
        return {"X": list(self.layers[:of_x]), "Z": list(self.layers[of_x:])}

    def _checked(self, layers: Sequence[int]) -> tuple[int, ...]:
        slots = len(self._usual_layers)
        if len(layers) != slots or not {*layers} <= {*range(slots)} or not self._measurable(layers):
            raise CascadeError(
                f"expected layers of {len(self._slot_colours['X'])} slots of X checks and then of "
                f"{len(self._slot_colours['Z'])} of Z checks, from 0 to {slots - 1}, in which no two gates meet and X "
                f"checks come first at an even number of the qubits that they share with a Z check, got {[*layers]}"
            )
        return tuple(map(int, layers))

    def _measurable(self, layers: Sequence[int]) -> bool:
        """Whether no two gates of a layer meet, and the checks are measured as they stand."""
        x, z = np.split(np.array(layers), [len(self._slot_colours["X"])])
        apart = len(np.unique(x)) == len(x) and len(np.unique(z)) == len(z)
        return apart and all((x[a] != z[b]).all() and not (x[a] < z[b]).sum() % 2 for a, b in self._shared_slots)

    @cached_property
    def _shared_slots(self) -> list[NDArray[np.int64]]:
        """The slots of X and of Z at the qubits that two checks share, int64 [2, qubits], for each way to share any."""
        ways = {tuple(sorted(slots)) for slots in self._meetings().values()}
        return [np.array(way).T for way in sorted(ways)]

    @property
    def qubit_positions(self) -> NDArray[np.floating]:
        """The first half of the columns half a step along x from the X checks, the second half along y."""
        column, i, j = self.qubit_coords.T.astype(np.float64)
        half = -(-self._columns // 2)
        second = column >= half
        column -= half * second
        height = max(self._rows.values())
        along = height * (i + column / np.where(second, max(self._columns - half, 1), half)) + 0.5 * ~second
        return np.stack([along, j + 0.5 * second + 0.2 * (column > 0)], axis=1)

    def check_positions(self, basis: Basis) -> NDArray[np.floating]:
        """X checks in the corner of their cell, Z checks in its middle."""
        return self.check_coords(basis) + (0.5 if basis == "Z" else 0.0)

    def detector_coords(self, basis: Basis) -> NDArray[np.int64]:
        """Twice the places of the drawing."""
        return 2 * self.check_coords(basis) + (basis == "Z")

    def locally_like(self, other: CSSCode) -> bool:
        """Whether what is near a check looks the same in the other code: that of a torus on any other with the same
        polynomials that is wide enough for checks that share data qubits to do so one way round alone."""
        return super().locally_like(other) or (
            isinstance(other, GroupCode)
            and (self._terms, self._colours) == (other._terms, other._colours)
            and self._reads == other._reads
        )

    @property
    def _terms(self) -> list[list[tuple[int, int, list[int]]]]:
        return [self._shortest(self._edges[basis]) for basis in BASES]

    @property
    def _reads(self) -> list[tuple[int, int, list[int]]]:
        return self._shortest(self._near_checks)

    def _shortest(self, edges: Edges) -> list[tuple[int, int, list[int]]]:
        """Edges with the exponents of their elements, the shortest way round."""
        return [(row, column, self._table.shortest(element)) for row, column, element in edges]

    def _find_logicals(self, basis: Basis) -> NDArray[np.uint8]:
        if basis == "Z" and self.duality:
            # The duality keeps weights: one search serves both bases.
            return self._dual(self.logicals("X"))
        stabilizers = gf2.row_reduce(self.checks(basis))[0]
        logicals = self._representatives(basis)
        conjugates = self._dual(logicals) if self.duality else self._representatives(opposite(basis))
        found = low_weight_logicals(
            stabilizers, logicals, conjugates, self.translations, target=self.d, rounds=SEARCH_ROUNDS
        )
        lightest = int(found[0].sum())
        # Where the bases differ, the distance is that of the lighter one.
        if self.d is not None and (lightest < self.d or (lightest > self.d and self.duality)):
            raise CascadeError(f"{self.name}: expected distance {self.d}, the lightest logical found weighs {lightest}")
        return found

    def _representatives(self, basis: Basis) -> NDArray[np.uint8]:
        """Any logical operators of one basis: uint8 [k, n]."""
        stabilizers = gf2.row_reduce(self.checks(basis))[0]
        spanning = np.vstack([stabilizers, gf2.nullspace(self.checks(opposite(basis)))])
        return spanning[gf2.independent_rows(spanning)[len(stabilizers) :]]

    def _dual(self, operators: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """What the duality makes of operators: uint8 [operators, n]."""
        assert self.duality is not None
        return operators[:, np.argsort(self.duality.qubit)]

    def operators(self, basis: Basis, which: Operators = "translations") -> NDArray[np.uint8]:
        asked = super().operators(basis, which)
        light = [self.light_logicals(basis, heavier=heavier) for heavier in _HEAVIER.get(which, ())]
        return np.unique(np.concatenate([asked, *light]), axis=0) if light else asked

    def decided_by(self, learnt: Operators) -> Operators:
        """All light ones: on a torus the network reads every logical operator alike, and says of all what it has learnt
        of some."""
        return learnt if learnt == "light" else "lightest"

    def light_logicals(self, basis: Basis, *, heavier: int = 0) -> NDArray[np.uint8]:
        """Every logical operator of a basis, whatever its class, up to the weight of the heaviest observable or above.

        Parameters
        ----------
        basis : {"X", "Z"}
        heavier : int
            By so much they may be heavier than the heaviest observable.

        Returns
        -------
        uint8 [operators, n]
            All that there are of bb72, bb108 and bb144 (84, 3186 and 1884; of bb72 1074 if they may be heavier by two),
            translations among them; where there are more than `MOST_LIGHT`, about so many that a search finds first.
        """
        key = basis, heavier
        if key not in self._light:
            if basis == "Z" and self.duality:
                found = self._dual(self.light_logicals("X", heavier=heavier))
            else:
                observables = self.logicals(basis)
                found = light_logicals(
                    self.checks(basis),
                    observables,
                    self.translations,
                    weight=int(observables.sum(axis=1).max()) + heavier,
                    rounds=LIGHT_ROUNDS,
                    most=MOST_LIGHT,
                )
            self._light[key] = frozen(found, np.uint8)
        return self._light[key]

    def _frame(self, basis: Basis) -> Frame:
        """A plane for each orbit of checks, those of Z first, and for each orbit of data qubits.

        Relations are the colours of the terms of both matrices: through one relation, all checks of one plane are read
        by data qubits of one plane, and the other way round.

        The X frame is the Z frame of the dual code, with time running backwards: the duality is a symmetry of the code,
        and brings schedules close that are their own duals backwards; what is left, the network learns from the kind of
        site. Without a duality the X frame is the Z frame, and the kind of site tells which checks are primary.
        """
        rows_x, rows_z = self._rows["X"], self._rows["Z"]
        checks_x, checks_z = rows_x * self._size, rows_z * self._size
        planes, height = rows_z + rows_x, max(rows_x, rows_z)
        checks_read_data = np.concatenate([self._meets("Z"), self._meets("X")])
        data_reads_checks = np.full((self.n, checks_read_data.shape[1]), ABSENT_PLACE)
        check, relation = np.nonzero(checks_read_data >= 0)
        data_reads_checks[checks_read_data[check, relation], relation] = check
        to_data = SpaceRelations(data_reads_checks, (0, 1), read="checks", out="data")
        from_data = SpaceRelations(checks_read_data, (0, -1), read="data", out="checks")
        near = self._near_checks
        colours = edge_colours(near)
        direct = SpaceRelations(
            self._lifted(near, colours.tolist(), planes, 1 + colours.max()), (-1, 0, 1), read="checks", out="checks"
        )
        duality = self.duality if basis == "X" else None
        place = {"Z": np.arange(checks_z), "X": checks_z + np.arange(checks_x)}
        if duality:
            place = {of: place[opposite(of)][duality.check[of]] for of in BASES}
        # Kinds of the Z frame and of the X frame, of each orbit, of primary and secondary checks.
        kind = np.concatenate([2 * np.arange(rows_z) + PRIMARY, 2 * np.arange(rows_x) + SECONDARY])
        if basis == "X":
            kind = 2 * height + (kind if duality else kind ^ 1)
        return Frame(
            plane_sizes=(self._size,) * planes,
            data_plane_sizes=(self._size,) * self._columns,
            check_place=place,
            coords=np.concatenate([*self._places(rows_z), *self._places(rows_x)]),
            place_kind=np.repeat(kind, self._size),
            kinds=4 * height,
            data_qubit=np.argsort(duality.qubit) if duality else np.arange(self.n),
            convolutions={"bipartite": (to_data, from_data), "direct": (direct,)},
            to_data=to_data,
            reverse_time=duality is not None,
            period=(self.group[0] * height, *self.group[1:]),
        )

    def _places(self, rows: int) -> list[NDArray[np.int64]]:
        """Coordinates of each orbit's checks, int64 [elements, generators]: orbits lie side by side along the first."""
        height = max(self._rows.values())
        first, *others = self._table.elements.T
        return [np.stack([height * first + row, *others], axis=1) for row in range(rows)]

    @cached_property
    def _near_checks(self) -> Edges:
        """Which planes share data qubits at which steps, (reader, read, step): a plane with itself first."""
        edges = [*self._edges["Z"], *((self._rows["Z"] + row, column, term) for row, column, term in self._edges["X"])]
        steps: dict[tuple[int, int], set[int]] = {}
        for row, column, term in edges:
            for other, meeting, its_term in edges:
                if column == meeting:
                    steps.setdefault((row, other), set()).add(self._table.quotient(term, its_term))
        near = [(p, q, step) for p, q in sorted(steps) if p == q for step in sorted(steps[p, q])]
        for p, q in sorted(steps):
            if q < p:
                there = sorted(steps[p, q])
                near += [(p, q, step) for step in there] + [(q, p, int(self._table.inverse[step])) for step in there]
        return near
