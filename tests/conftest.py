"""What tests share: where the real texts lie, and a small corpus of our own."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SHARED = ROOT.parent / "shared"


@pytest.fixture(scope="session")
def shared():
    if not SHARED.is_dir():
        pytest.skip("the real texts (../shared) are not on this machine")
    return SHARED


@pytest.fixture
def texts(tmp_path):
    """Write a folder of five small files: two of equal content, one unreadable."""
    folder = tmp_path / "texts"
    folder.mkdir()
    portal = "推进一网通办，把各部门的审批系统接入统一的政务服务平台，让群众少跑腿。\n"
    (folder / "a.txt").write_text(
        "临江市2019年政务服务工作报告\n" + portal * 2 + "二〇一九年三月五日\n", encoding="utf-8"
    )
    (folder / "b.txt").write_text("開放資料說明\n本府公開預算與會議紀錄，供民眾下載、監督與再利用。\n", encoding="big5")
    (folder / "c.txt").write_text(
        "临江市2019年政务服务工作报告\n" + portal * 2 + "二〇一九年三月五日\n", encoding="gb18030"
    )
    (folder / "d.jsonl").write_text(
        '{"id": "1", "title": "简讯", "date": "2021-06-01", "text": "全市粮食总产量保持稳定，农民收入继续增长。"}\n'
        '{"id": "2", "title": "简讯", "date": "2022-06-01", "text": "城市大脑提前预测内涝风险，系统自动派单处置。"}\n',
        encoding="utf-8",
    )
    (folder / "e.docx").write_bytes(b"PK\x03\x04 not a document")
    return folder
