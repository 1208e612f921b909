"""What `identify` prints: answers with their candidates, labels, or pybioclip's predictions."""

import csv
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from bioclip_search.catalogue import Catalogue
from bioclip_search.cli.output import print_json, print_lines, print_table
from bioclip_search.identification import Calibration, Choice, Identification, MethodName, Subject
from bioclip_search.identification.pybioclip import LABEL_COLUMNS, rank_columns
from bioclip_search.specimen import Photo
from bioclip_search.taxonomy import RANKS, Rank
from bioclip_search.text import printable

__all__ = [
    "IDENTIFICATION_COLUMNS",
    "IdentificationPrinter",
    "LabelPrinter",
    "PredictionPrinter",
    "calibration_line",
    "print_calibration",
]

IDENTIFICATION_COLUMNS = (
    *("file", "photo_id", "catalogNumber", "answerRank", "answerName", "answerScore", "place", "rank"),
    *("scientificName", "vernacularName", *(rank.value for rank in RANKS), "score", "evidence"),
)

_CANDIDATES_SHOWN, _EVIDENCE_SHOWN = 3, 3


class _Csv:
    """CSV as it comes, with a header before the first row.

    It goes to the standard output that there is when this is made: a progress bar puts another in its place.
    """

    def __init__(self, columns: Sequence[str]) -> None:
        self._shown = printable if sys.stdout.isatty() else str
        self._writer = csv.DictWriter(sys.stdout, columns, extrasaction="ignore", lineterminator="\n")
        self._has_header = False

    def write(self, rows: Iterable[Mapping[str, Any]]) -> None:
        for row in rows:
            if not self._has_header:
                self._writer.writeheader()
                self._has_header = True
            cells = {key: self._shown(cell) if isinstance(cell, str) else cell for key, cell in row.items()}
            self._writer.writerow(cells)


class IdentificationPrinter:
    """Prints identifications as table, json or csv; csv at once, the others at the end.

    A table has `shown` candidates a photo, or the few that fit beside the answer; the other formats have all.
    """

    def __init__(self, format_: str, catalogue: Catalogue | None, shown: int | None = None) -> None:
        self._format = format_
        self._shown = shown or _CANDIDATES_SHOWN
        self._catalogue = catalogue
        self._csv = _Csv(IDENTIFICATION_COLUMNS) if format_ == "csv" else None
        self._held: list[Any] = []

    def add(self, found: Sequence[Identification], method: MethodName, temperature: float) -> None:
        evidence = self._photos(found)
        for one in found:
            if self._csv:
                self._csv.write(_csv_rows(one, evidence))
            elif self._format == "json":
                how = {"method": method.value, "temperature": round(temperature, 6)}
                self._held.append({**_as_json(one, evidence), **how})
            else:
                self._held.append(_table_row(one, evidence, self._shown))

    def _photos(self, found: Sequence[Identification]) -> dict[str, Photo]:
        keys = sorted({evidence.photo_id for one in found for evidence in one.evidence})
        return self._catalogue.photos_by_id(keys) if self._catalogue and keys else {}

    def close(self) -> None:
        if self._format == "json":
            print_json(self._held)
        elif self._format == "table":
            columns = {"file": "dim", "answer": "italic", "rank": "", "score": "cyan", "candidates": ""}
            has_evidence = any(row[-1] for row in self._held)
            rows = self._held if has_evidence else [row[:-1] for row in self._held]
            print_table({**columns, **({"nearest photos": "dim"} if has_evidence else {})}, rows)


def print_calibration(method: MethodName, found: Calibration, format_: str) -> None:
    """What was fitted, where nothing was to be identified."""
    if format_ == "json":
        print_json({"method": method.value, **asdict(found)})
    else:
        print_lines([calibration_line(method, found)])


def calibration_line(method: MethodName, found: Calibration) -> str:
    """“Temperature 0.62 for zero-shot, fitted on 1,200 photos: …”"""
    return (
        f"Temperature {found.temperature:.3g} for {method}, fitted on {found.photos:,} photos: "
        f"calibration error {found.error_before:.3f} before, {found.error_after:.3f} after"
    )


class LabelPrinter:
    """Prints labels of one's own: table, json, csv, or pybioclip's csv."""

    def __init__(self, format_: str) -> None:
        self._format = format_
        self._csv = None
        if format_ in ("csv", "pybioclip"):
            self._csv = _Csv(LABEL_COLUMNS if format_ == "pybioclip" else ("file", *LABEL_COLUMNS[1:]))
        self._held: list[tuple[str, list[tuple[str, float]]]] = []

    def add(self, subject: Subject, best: list[tuple[str, float]]) -> None:
        if self._csv is None:
            self._held.append((subject.name, best))
            return
        file = LABEL_COLUMNS[0] if self._format == "pybioclip" else "file"
        self._csv.write({file: subject.name, "classification": label, "score": score} for label, score in best)

    def close(self) -> None:
        if self._format == "json":
            print_json([{"file": name, "labels": [_label(*pair) for pair in best]} for name, best in self._held])
        elif self._format == "table":
            rows = [(name, label, f"{score:.3f}") for name, best in self._held for label, score in best]
            print_table({"file": "dim", "classification": "", "score": "cyan"}, rows)


class PredictionPrinter:
    """Prints pybioclip's predictions at a rank."""

    def __init__(self, rank: Rank) -> None:
        self._csv = _Csv(rank_columns(rank))

    def add(self, rows: Iterable[Mapping[str, Any]]) -> None:
        self._csv.write(rows)

    def close(self) -> None:
        pass


def choice_row(choice: Choice) -> dict[str, Any]:
    """A taxon with its probability as a flat mapping."""
    return {
        "rank": choice.rank.value if choice.rank else None,
        "scientificName": choice.taxon.scientific_name,
        "vernacularName": choice.taxon.common_name,
        **{rank.value: choice.taxon.name_at(rank) for rank in RANKS},
        "score": round(choice.score, 6),
    }


def _label(label: str, score: float) -> dict[str, Any]:
    return {"classification": label, "score": round(score, 6)}


def _as_json(found: Identification, photos: Mapping[str, Photo]) -> dict[str, Any]:
    return {
        "file": found.subject.name,
        "photo_id": found.subject.photo_id,
        "catalogNumber": found.subject.catalog_number,
        "answer": choice_row(found.answer) if found.answer else None,
        "byRank": [choice_row(choice) for choice in found.by_rank],
        "candidates": [choice_row(choice) for choice in found.candidates],
        "evidence": [
            {
                "photo_id": one.photo_id,
                "catalogNumber": photos[one.photo_id].specimen.catalog_number,
                "path": photos[one.photo_id].path,
                "scientificName": photos[one.photo_id].specimen.taxon.scientific_name,
                "score": round(one.score, 6),
            }
            for one in found.evidence
            if one.photo_id in photos
        ],
    }


def _csv_rows(found: Identification, photos: Mapping[str, Photo]) -> Iterable[dict[str, Any]]:
    answer = found.answer
    whole = {
        "file": found.subject.name,
        "photo_id": found.subject.photo_id,
        "catalogNumber": found.subject.catalog_number,
        "answerRank": answer.rank.value if answer and answer.rank else None,
        "answerName": answer.name if answer else None,
        "answerScore": round(answer.score, 6) if answer else None,
        "evidence": _shown_evidence(found, photos, len(found.evidence)),
    }
    if not found.candidates:
        yield whole  # there was nothing to compare it with; the photo is told all the same
    for place, choice in enumerate(found.candidates, start=1):
        yield {**whole, "place": place, **choice_row(choice)}


def _table_row(found: Identification, photos: Mapping[str, Photo], shown: int) -> tuple[Any, ...]:
    answer = found.answer
    candidates = ", ".join(f"{choice.name} {choice.score:.2f}" for choice in found.candidates[:shown])
    return (
        found.subject.name,
        answer.name if answer else None,
        answer.rank.value if answer and answer.rank else None,
        f"{answer.score:.3f}" if answer else None,
        candidates,
        _shown_evidence(found, photos, _EVIDENCE_SHOWN),
    )


def _shown_evidence(found: Identification, photos: Mapping[str, Photo], limit: int) -> str:
    """“CAT-001 0.93; CAT-002 0.91”: catalogue numbers, or paths of photos that have none."""
    there = [(photos[one.photo_id], one.score) for one in found.evidence if one.photo_id in photos]
    return "; ".join(f"{photo.specimen.catalog_number or photo.path} {score:.2f}" for photo, score in there[:limit])
