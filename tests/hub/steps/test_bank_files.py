"""Bank statements read: CAMT.053 of several versions and banks' CSV; nothing hostile in them is obeyed."""

import datetime

import pytest

from hub.settings import BankColumns
from hub.steps.bank_files import BadStatement, by_columns, camt053

V02 = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.02"
V08 = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"
IBAN = "<Acct><Id><IBAN>DE89370400440532013000</IBAN></Id></Acct>"
COLUMNS = BankColumns(date="Posting Date", date_format="%m/%d/%Y", amount="Amount", currency="USD", text="Description")


def entry(
    amount: str = "58.05",
    sign: str = "CRDT",
    ref: str = "R1",
    *,
    status: str = "<Sts>BOOK</Sts>",
    details: str = "",
    more: str = "",
    currency: str = "USD",
) -> str:
    return (
        f'<Ntry><Amt Ccy="{currency}">{amount}</Amt><CdtDbtInd>{sign}</CdtDbtInd>{more}{status}'
        f"<BookgDt><Dt>2026-10-22</Dt></BookgDt><AcctSvcrRef>{ref}</AcctSvcrRef>"
        f"<NtryDtls>{details}</NtryDtls></Ntry>"
    )


def statement(*entries: str, namespace: str = V02, account: str = IBAN, prefix: str = "") -> bytes:
    body = f"<BkToCstmrStmt><Stmt>{account}{''.join(entries)}</Stmt></BkToCstmrStmt>"
    if prefix:
        body = (
            body.replace("</", f"</{prefix}:")
            .replace("<", f"<{prefix}:")
            .replace(f"<{prefix}:/{prefix}:", f"</{prefix}:")
        )
    name = f"{prefix}:Document" if prefix else "Document"
    declared = f"xmlns:{prefix}" if prefix else "xmlns"
    return f'<?xml version="1.0" encoding="UTF-8"?><{name} {declared}="{namespace}">{body}</{name}>'.encode()


def part(amount: str, end_to_end: str, sign: str = "") -> str:
    signed = f"<CdtDbtInd>{sign}</CdtDbtInd>" if sign else ""
    return (
        f"<TxDtls><Refs><EndToEndId>{end_to_end}</EndToEndId></Refs>"
        f'<AmtDtls><TxAmt><Amt Ccy="USD">{amount}</Amt></TxAmt></AmtDtls>{signed}'
        f"<RmtInf><Ustrd>PAYOUT {end_to_end}</Ustrd></RmtInf></TxDtls>"
    )


@pytest.mark.parametrize(
    ("namespace", "prefix", "status"),
    [
        (V02, "", "<Sts>BOOK</Sts>"),
        (V08, "", "<Sts><Cd>BOOK</Cd></Sts>"),
        (V08, "ns2", "<Sts><Cd>BOOK</Cd></Sts>"),
    ],
)
def test_any_version_and_namespace_gives_the_same_line(namespace: str, prefix: str, status: str) -> None:
    content = statement(entry(status=status, details=part("58.05", "E1")), namespace=namespace, prefix=prefix)

    (line,) = camt053("a.xml", content, None)

    assert (line.account, line.on, line.amount_minor, line.currency) == (
        "DE89370400440532013000",
        datetime.date(2026, 10, 22),
        5805,
        "USD",
    )
    assert (line.reference, line.text) == ("R1 E1", "PAYOUT E1")


def test_only_what_is_booked_counts() -> None:
    content = statement(entry(), entry(ref="R2", status="<Sts>PDNG</Sts>"), entry(ref="R3", status="<Sts>INFO</Sts>"))

    assert [line.reference for line in camt053("a.xml", content, None)] == ["R1"]


def test_a_reversal_has_its_own_direction() -> None:
    """ISO 20022: the indicator is the entry's, and what it reverses went the other way."""
    content = statement(entry(sign="DBIT", more="<RvslInd>true</RvslInd>"))

    assert [line.amount_minor for line in camt053("a.xml", content, None)] == [-5805]


def test_a_batch_is_cut_into_its_parts_where_they_make_it_up() -> None:
    content = statement(entry("58.05", details=part("50.00", "E1") + part("10.00", "E2") + part("1.95", "E3", "DBIT")))

    lines = camt053("a.xml", content, None)

    assert [(line.amount_minor, line.reference) for line in lines] == [
        (5000, "R1 E1"),
        (1000, "R1 E2"),
        (-195, "R1 E3"),
    ]


def test_a_batch_whose_parts_do_not_make_it_up_stays_one() -> None:
    content = statement(entry("58.05", details=part("50.00", "E1") + part("10.00", "E2")))

    assert [line.amount_minor for line in camt053("a.xml", content, None)] == [5805]


def test_the_same_line_has_the_same_key_in_every_statement_and_two_alike_have_two() -> None:
    first = camt053("a.xml", statement(entry(), entry(ref="R2"), entry(ref="R2")), None)
    second = camt053("b.xml", statement(entry(ref="R2"), entry(ref="R2"), entry(), namespace=V08), None)

    assert {line.key for line in first} == {line.key for line in second}
    assert len({line.key for line in first}) == 3


def test_yen_have_no_decimals() -> None:
    (line,) = camt053("a.xml", statement(entry("22750", currency="JPY")), None)

    assert line.amount_minor == 22750


@pytest.mark.parametrize(
    "evil",
    [
        b'<!DOCTYPE a [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]><Document>&b;</Document>',
        b'<!DOCTYPE a SYSTEM "http://evil.example/a.dtd"><Document/>',
        b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><Document>&x;</Document>',
    ],
)
def test_a_file_that_defines_entities_is_refused(evil: bytes) -> None:
    with pytest.raises(BadStatement, match="refused"):
        camt053("evil.xml", evil, None)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"<Document>", "not XML"),
        (b"\xff\xfe\x00", "not XML"),
        (b'<?xml version="1.0" encoding="nonsense"?><Document/>', "not XML"),
        (b"<html/>", "no statement"),
        (statement(entry(), account=""), "names no account"),
        (statement(entry("lots")), "entry 1: not an amount: 'lots'"),
        (statement(entry("1.234")), "entry 1"),
        (statement(entry(sign="MAYBE")), "entry 1: no amount, or not whether"),
        (statement(entry(currency="XXQ")), "entry 1"),
    ],
)
def test_what_is_no_statement_is_named_and_nothing_kept(content: bytes, said: str) -> None:
    with pytest.raises(BadStatement, match=said):
        camt053("a.xml", content, None)


def test_a_banks_csv_is_read_by_its_columns() -> None:
    content = b'Posting Date,Description,Amount\n10/22/2026,"SHOPIFY PAYOUT","1,058.05"\n10/23/2026,Rent,(900.00)\n'

    lines = by_columns("bank.csv", content, "checking", COLUMNS)

    assert [(line.on.isoformat(), line.amount_minor, line.text) for line in lines] == [
        ("2026-10-22", 105805, "SHOPIFY PAYOUT"),
        ("2026-10-23", -90000, "Rent"),
    ]


def test_two_columns_and_a_comma_are_a_bank_too() -> None:
    columns = BankColumns(
        date="Datum", date_format="%d.%m.%Y", paid_in="Haben", paid_out="Soll", currency_column="Währung",
        delimiter=";", decimal=",", encoding="cp1252",
    )  # fmt: skip
    content = "Datum;Haben;Soll;Währung\n22.10.2026;1.058,05;;EUR\n23.10.2026;;900,00;EUR\n".encode("cp1252")

    lines = by_columns("konto.csv", content, "giro", columns)

    assert [(line.amount_minor, line.currency) for line in lines] == [(105805, "EUR"), (-90000, "EUR")]


def test_a_formula_is_text_and_nothing_else() -> None:
    content = b'Posting Date,Description,Amount\n10/22/2026,"=HYPERLINK(""http://evil"")\x1b[2J",1.00\n'

    (line,) = by_columns("bank.csv", content, "checking", COLUMNS)

    assert line.text == '=HYPERLINK("http://evil") [2J'


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"Date,Amount\n", "no column Posting Date"),
        (b"Posting Date,Description,Amount\n2026-10-22,x,1.00\n", "bank.csv:2: not a day like %m/%d/%Y: '2026-10-22'"),
        (b"Posting Date,Description,Amount\n10/22/2026,x,=1+1\n", "bank.csv:2: not an amount: '=1\\+1'"),
        (b"Posting Date,Description,Amount\n10/22/2026,x,NaN\n", "bank.csv:2: not an amount: 'NaN'"),
        (b"Posting Date,Description,Amount\n10/22/2026,x\xff,1\n", "not utf-8"),
    ],
)
def test_a_csv_that_is_not_understood_is_named(content: bytes, said: str) -> None:
    with pytest.raises(BadStatement, match=said):
        by_columns("bank.csv", content, "checking", COLUMNS)
