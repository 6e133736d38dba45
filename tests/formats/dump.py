"""A page as somebody copied it out of a browser window."""

DUMP = """Cookies and privacy on this site

By continuing to use these pages you accept our cookies, our Privacy Notice and our Terms of Service. Settings can be changed in your browser.

I agree

Ferry service to the outer islands doubled


The morning ferry leaves the old quay, Larkmouth, May 4, 2026. /Harbour Press
The morning ferry leaves the old quay, Larkmouth, May 4, 2026. /Harbour Press

The morning ferry leaves the old quay, Larkmouth, May 4, 2026. /Harbour Press

Ferries to the outer islands will run every hour from June, twice as often as before, the harbour office said on Monday.

Two ships bought last winter make the new timetable possible. Both carry forty cars and run on electricity inside the bay.

Islanders had asked for more crossings since the bakery boat stopped running three years ago.

Islanders wait on the pier at Northhead, May 3, 2026. /Harbour Press
Islanders wait on the pier at Northhead, May 3, 2026. /Harbour Press

Islanders wait on the pier at Northhead, May 3, 2026. /Harbour Press

Tickets stay at last year's price until the end of September, when the council will look at them again.

(With input from Harbour Press)

Search Trends"""
