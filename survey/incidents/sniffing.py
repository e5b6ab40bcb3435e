"""What kind of file is this? Decided by its first bytes, never by its name.

BOM -> that encoding; `PK` -> XLSX; OLE -> XLS; `<` -> HTML; valid UTF-8 -> UTF-8; else GB18030. What then does not read
like text is none of these.
"""

import codecs
import zipfile
from dataclasses import dataclass
from pathlib import Path

from survey.errors import BadInput

_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_ZIP, _OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_HEAD = 4096
_CHUNK = 1 << 20
_OTHER_KINDS = (b"%PDF", b"{\\rtf")  # begin like text, and are none that can be imported
_BLANKS = "\t\n\v\f\r\x1a"  # 0x1A ends the texts of very old systems
_NOISE = 20  # at most one in so many characters may be none that stands in a text; in random bytes about one in six is
_DAMAGE = 10  # at most one in so many foreign characters may be wrong
MEBIBYTE = 1 << 20


@dataclass(frozen=True)
class Limits:
    """How much is read at most, in bytes. Text streams, so it may be large; sheets are unpacked in memory."""

    text_bytes: int = 2048 * MEBIBYTE
    sheet_bytes: int = 64 * MEBIBYTE
    unpacked_bytes: int = 600 * MEBIBYTE
    shared_text_bytes: int = 100 * MEBIBYTE
    unpacked_ratio: int = 250
    columns: int = 256
    line_characters: int = 1 << 20


class Unreadable(BadInput):
    """A file cannot be read at all."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(f"{zh} / {en}")
        self.zh, self.en = zh, en


@dataclass(frozen=True)
class FileFormat:
    """`kind` is csv, xlsx, xls or html; `encoding` is Python's name for text kinds, empty for the others."""

    kind: str
    encoding: str = ""


def sniff(path: Path, limits: Limits, code_page: str = "") -> FileFormat:
    """The format and encoding of a file; `code_page` overrides the guess for text. Raises Unreadable."""
    size = _size(path)
    if size == 0:
        raise Unreadable("文件是空的", "the file is empty")
    with path.open("rb") as file:
        head = file.read(_HEAD)
    if head.startswith(_ZIP):
        _refuse_large(size, limits.sheet_bytes)
        _refuse_bomb(path, limits)
        return FileFormat("xlsx")
    if head.startswith(_OLE):
        _refuse_large(size, limits.sheet_bytes)
        return FileFormat("xls")
    _refuse_large(size, limits.text_bytes)
    encoding = code_page or _encoding(path, head)
    _refuse_noise(head, encoding, named=bool(code_page))
    text = head.decode(encoding, errors="ignore").lstrip("\ufeff \r\n\t")
    return FileFormat("html" if text.startswith("<") else "csv", encoding)


def _size(path: Path) -> int:
    try:
        if not path.is_file():
            raise Unreadable(f"没有这个文件：{path.name}", f"there is no such file: {path.name}")
        return path.stat().st_size
    except OSError as error:
        raise Unreadable(f"打不开文件：{error.strerror}", f"cannot open the file: {error.strerror}") from None


def _refuse_large(size: int, most: int) -> None:
    if size > most:
        mib, most_mib = size // MEBIBYTE, most // MEBIBYTE
        raise Unreadable(f"文件有 {mib} MiB，上限 {most_mib} MiB；请另存为 CSV 或分批导入",
                         f"the file has {mib} MiB, at most {most_mib} are read; save it as CSV or in parts")  # fmt: skip


def _refuse_noise(head: bytes, encoding: str, *, named: bool) -> None:
    """Refuse what no encoding turns into text. Where the mapping has named the code page, that may be what is wrong."""
    text = codecs.getincrementaldecoder(encoding)(errors="replace").decode(head)
    wrong = sum(character < " " and character not in _BLANKS for character in text)
    if not named:
        wrong += text.count("\ufffd")
    if head.startswith(_OTHER_KINDS) or wrong * _NOISE > len(text):
        raise Unreadable("不是可识别的 CSV、XLSX 或 XLS 文件", "this is no CSV, XLSX or XLS file that can be recognised")


def _refuse_bomb(path: Path, limits: Limits) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, OSError, NotImplementedError):
        raise Unreadable("文件已损坏，不是完整的 XLSX", "the file is damaged: not a whole XLSX") from None
    packed = max(1, sum(part.compress_size for part in parts))
    unpacked = sum(part.file_size for part in parts)
    shared = sum(part.file_size for part in parts if part.filename.endswith("sharedStrings.xml"))
    bloated = unpacked > 10 * MEBIBYTE and unpacked // packed > limits.unpacked_ratio
    if bloated or unpacked > limits.unpacked_bytes or shared > limits.shared_text_bytes:
        raise Unreadable("文件解压后异常庞大（疑似压缩炸弹），拒绝读取；请另存为 CSV",
                         "the file unpacks to an abnormal size (like a zip bomb) and is refused; save it as CSV")  # fmt: skip


def _encoding(path: Path, head: bytes) -> str:
    for mark, encoding in _BOMS:
        if head.startswith(mark):
            return encoding
    if guess := _utf16_without_mark(head):
        return guess
    return "utf-8" if _is_utf8(path) else "gb18030"


def _utf16_without_mark(head: bytes) -> str:
    """UTF-16 text with Latin digits and commas shows NUL in every other byte; a stray NUL does not."""
    even, odd = head[0::2].count(0), head[1::2].count(0)
    most = len(head) // 8
    if odd > most and even <= odd // 10:
        return "utf-16-le"
    if even > most and odd <= even // 10:
        return "utf-16-be"
    return ""


def _is_utf8(path: Path) -> bool:
    """Whether it decodes, but for a little damage: in GB18030 text read as UTF-8 nearly every character is wrong."""
    decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
    wrong = foreign = 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            if chunk.isascii():
                continue
            text = decoder.decode(chunk)
            wrong += text.count("\ufffd")
            foreign += len(text) - len(text.encode("ascii", "ignore"))
    return wrong * _DAMAGE <= foreign
