"""A simulated NetSuite account, written from the vendor's documents: test code, of which the adapter knows nothing.

Where the documents are silent it does the less pleasant thing. What was chosen so, and is not known of real accounts:

- A duplicate external id of a transaction is refused in the words recorded for an entity (`duplicate_text`).
- Rows of tax details have no key and no line number, so each write adds them, unless `replace=taxDetails` is said.
- Tax details count only with `taxDetailsOverride`, and an invoice inherits neither from its order.
- `replace=item` is refused once a line is fulfilled or billed; a closed line can be billed for what was shipped of it.
- A fulfilment is only picked unless it says `shipStatus` C; more than is committed where the line has it is refused.
- An order and a return are pending approval unless they say `orderStatus` B.
- An invoice lowered below what was applied to it frees the rest of the last application.
- Two customers of one name are refused (`unique_entity_names`).
- A GET wants the level Edit for transactions and customers, View for lists.
- Idempotency keys are remembered for good.

Nor are these known, and here the account is as the documents let hope, in the one form alone:

- An external id in a transform's body is the new record's.
- The scope of an assertion may be a list or a text.
- The colon of `eid:` is `%3A` where a request is signed.

Not served: `q` filters, batches, RESTlets, lots and serial numbers, drop shipment, promotions, item groups, purchase
and vendor documents, revenue recognition, several subsidiaries, payments that apply credits, writes to items and lists.
"""
