/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* policy/honesty_store.c - see policy/honesty_store.h.  It is asked for once
 * and changes seldom, so that nothing is prepared beforehand. */
#include "policy/honesty_store.h"

int
honesty_load(struct db *db, struct honesty *h, struct fault *f)
{
	struct db_stmt *s = db_prepare(db, "SELECT state, since, first "
	    "FROM honesty", f);
	int rc = s == NULL ? -1 : db_step(s, f);

	*h = (struct honesty){ .state = HONESTY_UNKNOWN };
	if (rc == 1) {
		int64_t state = db_int(s, 0);

		/* Of a later version: as if never told. */
		if (state >= 0 && state < HONESTY_COUNT)
			h->state = (enum honesty_state)state;
		h->since = (uint64_t)db_int(s, 1);
		h->first = (uint64_t)db_int(s, 2);
	}
	db_finish(&s);
	return rc == -1 ? -1 : 0;
}

int
honesty_save(struct db *db, const struct honesty *h, struct fault *f)
{
	struct db_stmt *s = db_prepare(db, "INSERT INTO honesty "
	    "(id, state, since, first) VALUES (1, ?1, ?2, ?3) "
	    "ON CONFLICT (id) DO UPDATE SET state = ?1, since = ?2, "
	    "first = ?3", f);
	int rc;

	if (s == NULL)
		return -1;
	db_bind_int(s, 1, h->state);
	db_bind_int(s, 2, (int64_t)h->since);
	db_bind_int(s, 3, (int64_t)h->first);
	rc = db_step(s, f);
	db_finish(&s);
	return rc == -1 ? -1 : 0;
}
