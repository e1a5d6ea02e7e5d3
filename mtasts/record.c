/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* mtasts/record.c - see record.h. */
#include "mtasts/record.h"

#include "mtasts/syntax.h"

static const char *const names[] = {
	[STS_RECORD_NONE] = "none",
	[STS_RECORD_VALID] = "valid",
	[STS_RECORD_MANY] = "many",
	[STS_RECORD_INVALID] = "invalid",
};

const char *
sts_record_name(enum sts_record r)
{
	return names[r];
}

/* Case matters here, unlike almost everywhere in mail: the grammar has %s. */
static bool
is_sts(struct span txt)
{
	const struct span version = SPAN_LIT("v=STSv1;");

	return span_eq(span_head(txt, version.n), version);
}

static bool
id_valid(struct span id)
{
	for (size_t i = 0; i < id.n; i++)
		if (!sts_alnum(id.p[i]))
			return false;
	return id.n >= 1 && id.n <= STS_ID_MAX;
}

/* An extension's value: no "=", ";", space or control character. */
static bool
value_valid(struct span v)
{
	for (size_t i = 0; i < v.n; i++)
		if (v.p[i] <= ' ' || v.p[i] > '~' || v.p[i] == '=')
			return false;
	return v.n > 0;
}

/* The fields behind the version; a delimiter may end them.  Of several ids
 * the first counts, as of the policy's keys (sec 3.2). */
static enum sts_record
fields(struct span rest, char id[STS_ID_SIZE])
{
	bool more = true;

	rest = span_trim(rest);
	if (rest.n > 0 && rest.p[rest.n - 1] == ';')
		rest.n--;
	while (more) {
		struct span value, key;

		more = memchr(rest.p, ';', rest.n) != NULL;
		value = span_trim(span_cut(&rest, ';'));
		key = span_cut(&value, '=');
		if (!sts_key_valid(key))
			return STS_RECORD_INVALID;
		if (!span_eq(key, SPAN_LIT("id"))) {
			if (!value_valid(value))
				return STS_RECORD_INVALID;
			continue;
		}
		if (!id_valid(value))
			return STS_RECORD_INVALID;
		if (id[0] == '\0')
			(void)span_copy(value, id, STS_ID_SIZE);
	}
	return id[0] != '\0' ? STS_RECORD_VALID : STS_RECORD_INVALID;
}

enum sts_record
sts_record_find(const struct span *txts, size_t n, char id[STS_ID_SIZE])
{
	const struct span *found = NULL;
	enum sts_record r;

	id[0] = '\0';
	for (size_t i = 0; i < n; i++) {
		if (!is_sts(txts[i]))
			continue;
		if (found != NULL)
			return STS_RECORD_MANY;
		found = &txts[i];
	}
	if (found == NULL)
		return STS_RECORD_NONE;
	r = fields(span_skip(*found, strlen("v=STSv1;")), id);
	if (r != STS_RECORD_VALID)
		id[0] = '\0';
	return r;
}
