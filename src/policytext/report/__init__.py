"""The one-file page and files for other tools."""

from policytext.report.charts import vega_lite
from policytext.report.export import export
from policytext.report.gather import gather, grouped
from policytext.report.html import ReportData, render, write

__all__ = ["ReportData", "export", "gather", "grouped", "render", "vega_lite", "write"]
