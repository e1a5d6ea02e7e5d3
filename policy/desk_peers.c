/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* policy/desk_peers.c - see policy/desk_peers.h. */
#include "policy/desk_peers.h"

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

static const char *
name_in(struct control_client *c, const json_t *request)
{
	const char *name = json_string_value(json_object_get(request, "name"));

	if (name == NULL || strlen(name) >= DNS_NAME_SIZE) {
		control_error(c, 64, "which peer?");
		return NULL;
	}
	return name;
}

/* The name may be a host's, a domain's, or both. */
void
desk_peer(struct watch *w, struct control_client *c, const json_t *request)
{
	const char *name = name_in(c, request);
	struct fault f = { .class = FAULT_NONE };
	json_t *known, *findings;

	if (name == NULL)
		return;
	known = watch_json(w, name, name);
	findings = findings_of(w, name, &f);
	if (known == NULL || findings == NULL) {
		control_error(c, 1, "what is remembered cannot be read: %s",
		    f.text);
	} else if (json_is_null(json_object_get(known, "host")) &&
	    json_is_null(json_object_get(known, "domain")) &&
	    json_array_size(findings) == 0) {
		control_error(c, 1, "nothing is known of %s", name);
	} else {
		(void)json_object_set_new(known, "name", json_string(name));
		(void)json_object_set(known, "findings", findings);
		control_answer(c, json_incref(known));
		control_done(c);
	}
	json_decref(known);
	json_decref(findings);
}

void
desk_forget(struct watch *w, struct control_client *c, const json_t *request)
{
	const char *name = name_in(c, request);
	struct fault f = { .class = FAULT_NONE };
	int host, domain;

	if (name == NULL)
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
