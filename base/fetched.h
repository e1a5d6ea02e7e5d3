/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* base/fetched.h - what became of a document that role fetch was asked for.
 * Travels in FETCHED. */
#ifndef BASE_FETCHED_H
#define BASE_FETCHED_H

#define FETCH_ATONCE	64	/* requests that fetch works on; BUSY beyond */

enum fetched {
	FETCHED_OK,
	FETCHED_UNREACHABLE,	/* no connection, no TLS, no answer in time */
	FETCHED_CERTIFICATE,	/* not of that host, or of nobody we trust */
	FETCHED_ADDRESS,	/* a loopback or private one: refused */
	FETCHED_STATUS,		/* any other than 200; redirects as well */
	FETCHED_TYPE,		/* not text/plain */
	FETCHED_TOO_LARGE,
	FETCHED_BUSY,		/* not even tried */
	FETCHED_COUNT
};
const char	*fetched_name(enum fetched);

#endif
