/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* tls/names.c - see names.h. */
#include "tls/names.h"

#include <stdio.h>
#include <stdlib.h>

#define NAME_SIZE	256

/* As names are kept and looked for; false when it is none. */
static bool
clean(struct span s, char out[NAME_SIZE])
{
	if (s.n > 0 && s.p[s.n - 1] == '.')
		s.n--;
	if (s.n == 0 || !span_copy(s, out, NAME_SIZE))
		return false;
	for (char *p = out; *p != '\0'; p++)
		*p = ascii_lower(*p);
	return true;
}

/* Where it is, or belongs. */
static size_t
place(const struct tls_names *t, const char *name, bool *there)
{
	size_t low = 0, high = t->n;

	*there = false;
	while (low < high) {
		size_t at = low + (high - low) / 2;
		int d = strcmp(name, t->v[at].name);

		if (d == 0) {
			*there = true;
			return at;
		}
		if (d < 0)
			high = at;
		else
			low = at + 1;
	}
	return low;
}

static int
grow(struct tls_names *t)
{
	size_t cap = t->cap == 0 ? 16 : t->cap * 2;
	struct tls_name *v;

	if (t->n < t->cap)
		return 0;
	v = reallocarray(t->v, cap, sizeof *v);
	if (v == NULL)
		return -1;
	t->v = v;
	t->cap = cap;
	return 0;
}

int
tls_names_add(struct tls_names *t, struct span name, unsigned cert)
{
	char text[NAME_SIZE];
	bool there;
	size_t at;

	if (!clean(name, text))
		return 0;
	at = place(t, text, &there);
	if (!there) {
		if (t->n == TLS_NAMES_MAX)
			return 0;
		if (grow(t) == -1)
			return -1;
		memmove(&t->v[at + 1], &t->v[at],
		    (t->n - at) * sizeof t->v[0]);
		t->v[at] = (struct tls_name){ .name = strdup(text) };
		if (t->v[at].name == NULL) {
			memmove(&t->v[at], &t->v[at + 1],
			    (t->n - at) * sizeof t->v[0]);
			return -1;
		}
		t->n++;
	}
	t->v[at].certs |= (uint32_t)1 << cert;
	return 0;
}

uint32_t
tls_names_find(const struct tls_names *t, struct span name)
{
	char text[NAME_SIZE], *dot;
	bool there;
	size_t at;

	/* Nobody is called *; a client that asks for it has no exact match. */
	if (!clean(name, text) || text[0] == '*')
		return 0;
	at = place(t, text, &there);
	if (there)
		return t->v[at].certs;
	dot = strchr(text, '.');
	if (dot == NULL || dot == text)
		return 0;
	dot[-1] = '*';
	at = place(t, dot - 1, &there);
	return there ? t->v[at].certs : 0;
}

void
tls_names_free(struct tls_names *t)
{
	while (t->n > 0)
		free(t->v[--t->n].name);
	free(t->v);
	*t = (struct tls_names){ .n = 0 };
}
