"""What is on a photo: zero-shot by names, by the nearest determined photos, by the nearest centroid of a taxon."""

from bioclip_search.identification.build import Among, Observer, label_classes, make_method, sample
from bioclip_search.identification.calibration import Calibration, calibrate, scored
from bioclip_search.identification.identify import Evidence, Identification, Settings, identify
from bioclip_search.identification.labels import Labels, read_bins, read_labels
from bioclip_search.identification.method import Method, MethodName
from bioclip_search.identification.nearby import identify_nearby, identify_now
from bioclip_search.identification.ranks import Choice, RankTree
from bioclip_search.identification.reference import UNIDENTIFIED
from bioclip_search.identification.reviews import Review, Verdict, called, last_reviews, review, reviews
from bioclip_search.identification.subjects import FileReader, Subject, Subjects, from_catalogue
from bioclip_search.identification.suggestions import Run, Suggestion, keep, keep_suggestions, suggested, suggestions
from bioclip_search.identification.temperatures import keep_calibration, kept_temperature

__all__ = [
    "UNIDENTIFIED",
    "Among",
    "Calibration",
    "Choice",
    "Evidence",
    "FileReader",
    "Identification",
    "Labels",
    "Method",
    "MethodName",
    "Observer",
    "RankTree",
    "Review",
    "Run",
    "Settings",
    "Subject",
    "Subjects",
    "Suggestion",
    "Verdict",
    "calibrate",
    "called",
    "from_catalogue",
    "identify",
    "identify_nearby",
    "identify_now",
    "keep",
    "keep_calibration",
    "keep_suggestions",
    "kept_temperature",
    "label_classes",
    "last_reviews",
    "make_method",
    "read_bins",
    "read_labels",
    "review",
    "reviews",
    "sample",
    "scored",
    "suggested",
    "suggestions",
]
