"""Conditions on photos, as a person writes them: “typeStatus = 'holotype' and year < 1900”.

`tokens` → `parse` → `tree` → `render`; `columns` knows what may be compared with what. The text is
understood here and SQL is written anew from what was understood: none of it is ever passed on.

The language
    column = value          also == != <> < <= > >=
    column LIKE 'CAT-%'     also NOT LIKE; ILIKE takes letters in either case
    column IN (a, b)        also NOT IN
    column BETWEEN a AND b  also NOT BETWEEN; both ends belong to it
    column IS EMPTY         also IS NOT EMPTY, IS NULL, IS NOT NULL
    AND, OR, NOT, (…)       NOT binds closest, then AND, then OR; keywords in any case

A column is a Darwin Core term of the specimen, or path, root, view, width, height or size: in any
case, with or without “dwc:”. A value is 'in quotes' or "in quotes", the quote itself doubled; one
word that means nothing else may stand without. Text is compared letter by letter, numbers by size;
a number beside a text column is the text as it is written.

In a pattern % stands for any text and _ for one character. A backslash makes %, _ or a backslash
after it stand for itself; before anything else, and at the end, it is a backslash.

An empty field is not equal to any value, nor less, greater or like it. So `sex != 'male'` and
`NOT (year < 1900)` select photos without sex or year as well: a condition is true or false of a
photo, and NOT turns it round. (SQL knows a third answer, and drops such rows.)
"""

from bioclip_search.conditions.condition import Condition, any_of, exactly, parse_condition

__all__ = ["Condition", "any_of", "exactly", "parse_condition"]
