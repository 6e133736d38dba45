# Varnish in front of two instances of Copydesk. docs/operations/proxies.md says why; compose.yaml runs it.
vcl 4.1;

import directors;
import std;

probe ready {
    .url = "/health/ready";
    .interval = 500ms;
    .timeout = 2s;
    .window = 3;
    .threshold = 2;
    .initial = 1;
}

backend one {
    .host = "copydesk-one";
    .port = "8000";
    .probe = ready;
}

backend two {
    .host = "copydesk-two";
    .port = "8000";
    .probe = ready;
}

# The same two without a probe: one that is too busy for its probe still answers.
backend one_unchecked {
    .host = "copydesk-one";
    .port = "8000";
}

backend two_unchecked {
    .host = "copydesk-two";
    .port = "8000";
}

sub vcl_init {
    new checked = directors.round_robin();
    checked.add_backend(one);
    checked.add_backend(two);
    new unchecked = directors.round_robin();
    unchecked.add_backend(one_unchecked);
    unchecked.add_backend(two_unchecked);
    # While no probe passes, both are asked all the same.
    new copydesk = directors.fallback();
    copydesk.add_backend(checked.backend());
    copydesk.add_backend(unchecked.backend());
}

# What one instance has failed to answer, the other one is asked once, if the request changes nothing.
sub ask_the_other {
    if (bereq.retries == 0 && (bereq.method == "GET" || bereq.method == "HEAD")) {
        if (beresp.backend == one || beresp.backend == one_unchecked) {
            set bereq.backend = two_unchecked;
        } else {
            set bereq.backend = one_unchecked;
        }
        return (retry);
    }
}

sub vcl_recv {
    # Copydesk names the keys of what has changed. Each is of small letters, digits and dashes.
    if (req.method == "BAN") {
        if (!std.getenv("COPYDESK_PURGE_TOKEN")
            || req.http.Authorization != "Bearer " + std.getenv("COPYDESK_PURGE_TOKEN")) {
            return (synth(403));
        }
        if (req.http.Surrogate-Key !~ "^[a-z0-9-]+( [a-z0-9-]+)*$") {
            return (synth(400));
        }
        ban("obj.http.Surrogate-Key ~ (^|\s)(" + regsuball(req.http.Surrogate-Key, " ", "|") + ")(\s|$)");
        return (synth(200));
    }
    set req.backend_hint = copydesk.backend();
    # A waiting request, or a stream, is for one follower.
    if (req.url ~ "^/v1/changes") {
        return (pass);
    }
    # Public answers depend on no cookie; a reader's own decisions do. What has an Authorization is never kept.
    if ((req.method == "GET" || req.method == "HEAD") && req.url !~ "^/(v1/consents|consent)") {
        unset req.http.Cookie;
    }
    # While an instance is well, no answer is older than Copydesk allows.
    if (std.healthy(checked.backend())) {
        set req.grace = 60s;
    }
}

sub vcl_backend_error {
    call ask_the_other;
}

sub vcl_backend_response {
    if (beresp.status == 503) {
        call ask_the_other;
    }
    # Varnish is told what has changed, and keeps the rest for a day. Pages and sitemaps change with time too. Browsers keep
    # what Cache-Control says.
    if (beresp.http.Surrogate-Key && beresp.ttl > 0s && bereq.url ~ "^/(v1|feeds)/") {
        set beresp.ttl = 1d;
    }
    # While none is well, a kept answer is better than none: for a day.
    if (beresp.ttl > 0s) {
        set beresp.grace = 1d;
    }
    # A kept answer is not replaced by a failure.
    if (beresp.status >= 500 && bereq.is_bgfetch) {
        return (abandon);
    }
}

sub vcl_deliver {
    unset resp.http.Surrogate-Key;
    # A browser counts from when it asked, not from when Varnish did.
    unset resp.http.Age;
    set resp.http.X-Cache = "miss";
    if (obj.hits > 0) {
        set resp.http.X-Cache = "hit";
    }
}
