"""What the books should say: the chart of accounts, the policies, and `post`, which turns a document into an entry.

Pure, and the same rules for the expected entries of the hub and for the reference ledger.
"""

from hub.books.chart import Account, AccountType, Chart, Role
from hub.books.faults import Faulty, Unpostable
from hub.books.policy import Billing, LateFacts, Policy, Recognise
from hub.books.post import post

__all__ = [
    "Account",
    "AccountType",
    "Billing",
    "Chart",
    "Faulty",
    "LateFacts",
    "Policy",
    "Recognise",
    "Role",
    "Unpostable",
    "post",
]
