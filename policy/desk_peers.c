/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* policy/desk_peers.c - see policy/desk_peers.h. */
#include "policy/desk_peers.h"

#include "base/clock.h"
#include "base/log.h"

#define RECENT		10	/* findings that are shown of a peer */

/* The last ones, as many as are shown. */
static json_t *
findings_of(struct watch *w, const char *name, struct fault *f)
{
	json_t *list = json_array();
	struct finding_row r;
	int64_t id = 0;
	int rc;

	while ((rc = findings_next(w->findings, 0, name, &id, &r, f)) == 1) {
		(void)json_array_append_new(list, finding_json(&r));
		if (json_array_size(list) > RECENT)
			(void)json_array_remove(list, 0);
	}
	if (rc == 0)
		return list;
	json_decref(list);
	return NULL;
}

/* A host's or a domain's; what is kept has normal names. */
static bool
name_in(struct control_client *c, const json_t *request,
    char out[DNS_NAME_SIZE])
{
	const char *name = json_string_value(json_object_get(request, "name"));
	struct addr a;

	if (name == NULL || name[0] == '\0') {
		control_error(c, 64, "which peer?");
		return false;
	}
	if (addr_parse_ip(span_str(name), &a)) {
		(void)addr_ip_text(&a, out);
		return true;
	}
	if (dns_name_normalize(span_str(name), out) == 0)
		return true;
	control_error(c, 64, "%.300s is neither a name nor an address", name);
	return false;
}

/* The name may be a host's, a domain's, or both. */
void
desk_peer(struct watch *w, struct control_client *c, const json_t *request)
{
	char name[DNS_NAME_SIZE];
	const char *const names[] = { name, NULL };
	struct fault f = { .class = FAULT_NONE };
	json_t *known, *findings;
	struct exception x;
	bool excepted;

	if (!name_in(c, request, name))
		return;
	excepted = watch_excepted(w, names, &x);
	known = watch_json(w, name, name);
	findings = findings_of(w, name, &f);
	if (known == NULL || findings == NULL) {
		control_error(c, 1, "what is remembered cannot be read: %s",
		    f.text);
	} else if (json_is_null(json_object_get(known, "host")) &&
	    json_is_null(json_object_get(known, "domain")) &&
	    json_array_size(findings) == 0 && !excepted) {
		control_error(c, 1, "nothing is known of %s", name);
	} else {
		(void)json_object_set_new(known, "name", json_string(name));
		(void)json_object_set(known, "findings", findings);
		(void)json_object_set_new(known, "exception", excepted ?
		    exception_json(&x) : json_null());
		control_answer(c, json_incref(known));
		control_done(c);
	}
	json_decref(known);
	json_decref(findings);
}

void
desk_forget(struct watch *w, struct control_client *c, const json_t *request)
{
	struct fault f = { .class = FAULT_NONE };
	char name[DNS_NAME_SIZE];
	int host, domain;

	if (!name_in(c, request, name))
		return;
	host = memory_forget(w->memory, PEER_HOST, name, &f);
	domain = memory_forget(w->memory, PEER_DOMAIN, name, &f);
	if (host == -1 || domain == -1) {
		control_error(c, 1, "%s", f.text);
	} else if (host == 0 && domain == 0) {
		control_error(c, 1, "nothing is known of %s", name);
	} else {
		log_warn("peer-forgotten", KV_S("name", name));
		control_done(c);
	}
}

/* ---- exceptions ---- */

/* One line, as in the log. */
static bool
why_in(struct control_client *c, const json_t *request,
    char out[EXCEPTION_WHY_SIZE])
{
	const char *why = json_string_value(json_object_get(request, "why"));

	if (why == NULL || why[0] == '\0') {
		control_error(c, 64, "an exception needs a reason");
		return false;
	}
	for (const char *p = why; *p != '\0'; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f) {
			control_error(c, 64, "the reason is not one line of "
			    "text");
			return false;
		}
	if (span_copy(span_str(why), out, EXCEPTION_WHY_SIZE))
		return true;
	control_error(c, 64, "the reason is longer than %d octets",
	    EXCEPTION_WHY_SIZE - 1);
	return false;
}

void
desk_except(struct watch *w, struct control_client *c, const json_t *request)
{
	json_int_t until = json_integer_value(json_object_get(request,
	    "until"));
	struct exception x = { .made = w->wall_s(w->ctx) };
	struct fault f = { .class = FAULT_NONE };
	char text[CLOCK_RFC3339_SIZE];

	if (!name_in(c, request, x.name) || !why_in(c, request, x.why))
		return;
	if (until <= (json_int_t)x.made ||
	    until > (json_int_t)(x.made + EXCEPTION_LONGEST_S)) {
		control_error(c, 64, "an exception ends in the future, within "
		    "a year");
		return;
	}
	x.until = (uint64_t)until;
	if (exceptions_put(w->exceptions, &x, &f) == -1) {
		control_error(c, 1, "%s", f.text);
		return;
	}
	clock_rfc3339(x.until * 1000, false, text);
	log_warn("exception-made", KV_S("name", x.name), KV_S("until", text),
	    KV_Q("why", x.why));
	control_done(c);
}

void
desk_except_end(struct watch *w, struct control_client *c,
    const json_t *request)
{
	struct fault f = { .class = FAULT_NONE };
	char name[DNS_NAME_SIZE];
	int rc;

	if (!name_in(c, request, name))
		return;
	rc = exceptions_end(w->exceptions, name, &f);
	if (rc == -1) {
		control_error(c, 1, "%s", f.text);
	} else if (rc == 0) {
		control_error(c, 1, "no exception was made of %s", name);
	} else {
		log_info("exception-ended", KV_S("name", name),
		    KV_S("by", "command"));
		control_done(c);
	}
}

/* Their number is bounded: all in one line. */
void
desk_exceptions(struct watch *w, struct control_client *c,
    const json_t *request)
{
	struct fault f = { .class = FAULT_NONE };
	struct exception x = { .name = "" };
	json_t *list = json_array();
	int rc;

	(void)request;
	while ((rc = exceptions_next(w->exceptions, x.name,
	    w->wall_s(w->ctx), &x, &f)) == 1)
		(void)json_array_append_new(list, exception_json(&x));
	if (rc == -1) {
		json_decref(list);
		control_error(c, 1, "%s", f.text);
		return;
	}
	control_answer(c, json_pack("{s:o}", "exceptions", list));
	control_done(c);
}
