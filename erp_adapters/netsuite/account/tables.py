"""The records that SuiteQL reads, column by column, as far as this account serves them.

Names: ERPS.md 1.10 for transactions, lines and stock; public schema listings of the same records for the rest [T];
columns that integrators expect and NetSuite has not (`transaction.total`, `transaction.createdfrom`,
`customer.subsidiary`) are left out on purpose. `deletedrecord`, `lastmodifiedby` and the unnamed link types are [G].
"""

from collections.abc import Iterator, Mapping
from typing import Final

# Kinds: id (a number), num, text, flag ('T'/'F'), day and moment (dates.py); after ">", what BUILTIN.DF shows for it.
_TRANSACTION: Final = """
    id:id externalid:text type:text>type abbrevtype:text recordtype:text tranid:text transactionnumber:text
    trandisplayname:text trandate:day status:text>status entity:id>name currency:id>name exchangerate:num
    foreigntotal:num foreignamountpaid:num foreignamountunpaid:num foreignpaymentamountused:num
    foreignpaymentamountunused:num postingperiod:id>name posting:flag void:flag voided:flag memo:text otherrefnum:text
    createddate:moment lastmodifieddate:moment createdby:id lastmodifiedby:id duedate:day shipdate:day closedate:day
    email:text terms:id>name
"""
_LINE: Final = """
    uniquekey:id transaction:id id:id linesequencenumber:id mainline:flag taxline:flag iscogs:flag isclosed:flag
    isinventoryaffecting:flag donotdisplayline:flag item:id>name itemtype:text quantity:num quantitybilled:num
    quantityshiprecv:num quantitybackordered:num quantitycommitted:num rate:num foreignamount:num netamount:num
    creditforeignamount:num debitforeignamount:num memo:text entity:id>name location:id>name subsidiary:id>name
    department:id>name class:id>name account:id>name expenseaccount:id>name createdfrom:id>name
    linelastmodifieddate:moment
"""
_ACCOUNTING_LINE: Final = """
    transaction:id transactionline:id accountingbook:id account:id>name debit:num credit:num amount:num netamount:num
    posting:flag exchangerate:num amountpaid:num amountunpaid:num
"""
_LINK: Final = "previousdoc:id>name previousline:id nextdoc:id>name nextline:id linktype:text foreignamount:num"

_TABLES: Final = {
    "transaction": _TRANSACTION,
    "transactionline": _LINE,
    "transactionaccountingline": _ACCOUNTING_LINE,
    "link": _LINK + " owner:id",
    "account": "id:id externalid:text acctnumber:text fullname:text accountsearchdisplayname:text"
    " displaynamewithhierarchy:text accttype:text isinactive:flag",
    "item": "id:id externalid:text itemid:text displayname:text fullname:text itemtype:text subtype:text"
    " isinactive:flag cost:num averagecost:num totalquantityonhand:num upccode:text incomeaccount:id>name"
    " assetaccount:id>name expenseaccount:id>name createddate:moment lastmodifieddate:moment",
    "customer": "id:id externalid:text entityid:text altname:text companyname:text firstname:text lastname:text"
    " isperson:flag isinactive:flag email:text phone:text currency:id>name category:id>name terms:id>name"
    " datecreated:moment lastmodifieddate:moment",
    "entity": "id:id externalid:text entityid:text altname:text type:text isinactive:flag email:text",
    "location": "id:id externalid:text name:text fullname:text subsidiary:id>name isinactive:flag",
    "subsidiary": "id:id externalid:text name:text fullname:text legalname:text currency:id>name country:text"
    " isinactive:flag",
    "currency": "id:id externalid:text name:text symbol:text exchangerate:num currencyprecision:num isbasecurrency:flag"
    " isinactive:flag",
    "accountingperiod": "id:id periodname:text startdate:day enddate:day closed:flag arlocked:flag aplocked:flag"
    " alllocked:flag isposting:flag isquarter:flag isyear:flag isadjust:flag isinactive:flag",
    "department": "id:id externalid:text name:text fullname:text isinactive:flag",
    "classification": "id:id externalid:text name:text fullname:text isinactive:flag",
    "salestaxitem": "id:id externalid:text itemid:text fullname:text rate:num taxtype:id>name isinactive:flag",
    "taxtype": "id:id name:text country:text isinactive:flag",
    "paymentmethod": "id:id name:text isinactive:flag",
    "term": "id:id name:text daysuntilnetdue:num isinactive:flag",
    "inventoryitemlocations": "item:id>name location:id>name quantityavailable:num quantityonhand:num"
    " quantitycommitted:num quantitybackordered:num quantityonorder:num averagecostmli:num",
    "deletedrecord": "recordid:id type:text name:text deleteddate:moment deletedby:id",
}
LINK_VIEWS: Final = ("previoustransactionlinelink", "nexttransactionlinelink")
HEADER_LINK_VIEWS: Final = ("previoustransactionlink", "nexttransactionlink")
LINK_COLUMNS: Final = "previousdoc previousline previoustype nextdoc nextline nexttype linktype foreignamount".split()

# Which tables a custom field is a column of, by the kind that the account declares it with.
_CUSTOM: Final = {"body": ("transaction",), "line": ("transactionline",), "entity": ("customer",), "item": ("item",)}
_AFFINITY: Final = {
    "id": "INTEGER",
    "num": "REAL",
    "text": "TEXT",
    "flag": "TEXT",
    "day": "TEXT COLLATE suitedate",
    "moment": "TEXT COLLATE suitedate",
}


class Schema:
    """The tables of one account, its custom fields among the columns."""

    def __init__(self, custom_fields: Mapping[str, str]) -> None:
        self.kinds: dict[str, dict[str, str]] = {}
        self.displays: dict[tuple[str, str], str] = {}
        for table, columns in _TABLES.items():
            self.kinds[table] = dict(self._read(table, columns))
        for name, kind in custom_fields.items():
            for table in _CUSTOM.get(kind, ()):
                self.kinds[table][name.lower()] = "text"
        self.displays |= {
            (view, name): "name" for view in LINK_VIEWS + HEADER_LINK_VIEWS for name in ("previousdoc", "nextdoc")
        }
        self.columns = {table: tuple(kinds) for table, kinds in self.kinds.items() if table != "link"}
        self.columns |= {view: tuple(LINK_COLUMNS) for view in LINK_VIEWS}
        of_headers = tuple(name for name in LINK_COLUMNS if not name.endswith("line"))
        self.columns |= dict.fromkeys(HEADER_LINK_VIEWS, of_headers)

    def _read(self, table: str, columns: str) -> Iterator[tuple[str, str]]:
        for column in columns.split():
            name, _, rest = column.partition(":")
            kind, _, display = rest.partition(">")
            if display:
                self.displays[table, name] = display
            yield name, kind

    @property
    def dates(self) -> frozenset[str]:
        """The names of columns that hold dates, in whatever table."""
        return frozenset(
            name for kinds in self.kinds.values() for name, kind in kinds.items() if kind in ("day", "moment")
        )

    def statements(self) -> Iterator[str]:
        """What makes the empty database."""
        for table, kinds in self.kinds.items():
            yield f"CREATE TABLE [{table}] ({', '.join(f'[{name}] {_AFFINITY[kind]}' for name, kind in kinds.items())})"
            for key in ("id", "transaction", "owner", "previousdoc", "nextdoc", "item"):
                if key in kinds and (key != "item" or table == "inventoryitemlocations"):
                    yield f"CREATE INDEX [{table}_{key}] ON [{table}] ([{key}])"
        for view in LINK_VIEWS:
            yield (
                f"CREATE VIEW [{view}] AS SELECT l.previousdoc, l.previousline, p.type AS previoustype, l.nextdoc,"
                " l.nextline, n.type AS nexttype, l.linktype, l.foreignamount FROM link l"
                " JOIN [transaction] p ON p.id = l.previousdoc JOIN [transaction] n ON n.id = l.nextdoc"
            )
        for view in HEADER_LINK_VIEWS:
            yield (
                f"CREATE VIEW [{view}] AS SELECT previousdoc, previoustype, nextdoc, nexttype, linktype,"
                f" sum(foreignamount) AS foreignamount FROM [{LINK_VIEWS[0]}] GROUP BY previousdoc, nextdoc, linktype"
            )
