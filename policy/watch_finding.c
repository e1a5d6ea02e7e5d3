/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* policy/watch_finding.c - a finding's evidence, and its way into log and
 * file; see policy/watch_priv.h. */
#include "policy/watch_priv.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"

static void
tell(const char *event, const struct finding_row *r, const char *since,
    struct span session, struct span reason)
{
	log_warn(event, KV_SPAN("session", session),
	    KV_S("domain", r->domain), KV_S("mx", r->mx),
	    KV_S("addr", r->address), KV_S("expected", level_name(r->expected)),
	    KV_S("why", why_name(r->why)), KV_S("since", since),
	    KV_S("reached", level_name(r->reached)),
	    KV_S("class", finding_class_name(r->class)),
	    KV_S("action", finding_action_name(r->action)),
	    KV_QSPAN("reason", reason));
}

/* Other kinds have an event where they are found: in relay, or in a look-up. */
static void
tell_kind(const struct finding_row *r, const char *since, struct span session,
    struct span reason)
{
	switch (r->kind) {
	case FINDING_STRIPPED:
		tell("starttls-stripped", r, since, session, reason);
		break;
	case FINDING_MANGLED:
		tell("starttls-mangled", r, since, session, reason);
		break;
	case FINDING_REFUSED:
		tell("starttls-refused", r, since, session, reason);
		break;
	case FINDING_HANDSHAKE:
		tell("tls-handshake-failed", r, since, session, reason);
		break;
	case FINDING_DOWNGRADE:
		tell("tls-downgrade", r, since, session, reason);
		break;
	default:
		break;
	}
}

/* ---- evidence ---- */

static json_t *
text_json(struct span s)
{
	return json_stringn(s.p, s.n);	/* NULL unless UTF-8 */
}

static json_t *
lines_json(struct span text)
{
	json_t *list = json_array();

	while (text.n > 0)
		(void)json_array_append_new(list,
		    text_json(span_cut(&text, '\n')));
	return list;
}

static json_t *
clues_json(unsigned clues)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < CLUE_COUNT; i++)
		if (clues & 1u << i)
			(void)json_array_append_new(list,
			    json_string(clue_name(i)));
	return list;
}

/* Of the last hour, hosts of other domains that were known to have TLS. */
static json_t *
others_json(const struct clues *c, const char *mx, uint64_t now)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < CLUES_RECENT; i++) {
		const struct recent *r = &c->recent[i];

		if (r->time == 0 || now > r->time + CLUES_SPAN_S ||
		    !r->expected || strcmp(r->mx, mx) == 0)
			continue;
		(void)json_array_append_new(list, json_pack("{s:s, s:s}",
		    "mx", r->mx, "address", r->addr));
	}
	return list;
}

/* Only what is printable ASCII comes by here (smtp/heard.h, and a relay that
 * was broken into gets a null); a document that is too long for its place is
 * none. */
static char *
evidence_text(const struct watch *w, const struct watch_evidence *e,
    const char *mx, uint64_t now)
{
	json_t *doc = json_pack("{s:o*, s:o*, s:b, s:o*, s:o, s:o, s:s?}",
	    "greeting", text_json(e->greeting), "ehlo", lines_json(e->ehlo),
	    "helo", e->helo, "reason", text_json(e->reason),
	    "fingerprints", clues_json(e->clues),
	    "also_lost", others_json(&w->clues, mx, now),
	    "expected_since", e->since[0] != '\0' ? e->since : NULL);
	char *text = json_dumps(doc, JSON_COMPACT);

	json_decref(doc);
	if (text != NULL && strlen(text) > FINDINGS_EVIDENCE_MAX) {
		free(text);
		return NULL;
	}
	return text;
}

void
watch_found(struct watch *w, struct finding_row *r,
    const struct watch_evidence *e, uint64_t now)
{
	struct fault f = { .class = FAULT_NONE };
	char *text = evidence_text(w, e, r->mx, now);
	int rc;

	r->time = r->last = now * 1000;
	r->count = 1;
	r->evidence = text != NULL ? text : "{}";
	rc = findings_put(w->findings, r, &f);
	watch_result(w, rc, &f);
	/* One that cannot be kept is told each time: better than never. */
	if (rc != 0) {
		tell_kind(r, e->since, e->session, e->reason);
		if (w->found != NULL)
			w->found(w->ctx, r);
	}
	free(text);
}
