"""Every statement of the API's two documents, with the tests that show it.

`python -m tests.contract.statements` writes docs/reference/conformance.md, and test_conformance.py compares.
A statement that is otherwise here names a topic of docs/differences.md, which has the reason.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "reference" / "conformance.md"
DIFFERENCES = ROOT / "docs" / "differences.md"
FOLDERS = ("tests/contract", "tests/db/server", "tests/served", "tests/unit/client", "tests/unit/protocol")


class Statement(NamedTuple):
    """What a document says; the names of tests, separated by blanks; and where it is otherwise, the topic."""

    text: str
    tests: str
    topic: str = ""


Sections = Mapping[str, list[Statement]]
S = Statement

_EXAMPLE = "test_every_example_is_answered"

REST: Sections = {
    "Basics": [
        S("every request has the parameter `api_key`", "test_credentials_are_refused_with_their_codes"),
        S("locations are part of the host, such as `us-east-api`", "test_a_location_is_part_of_the_host"),
        S("POST data are JSON", "test_bodies_of_the_wrong_shape_are_refused test_json_is_read_in_chunks"),
        S(
            "calls are `/api/v1.0/` and a path, with a slash at its end or without",
            "test_single_and_batch_partial_updates",
        ),
    ],
    "Authentication": [
        S("tokens are JWTs by HS256", "test_credentials_are_refused_with_their_codes"),
        S(
            "`Stream-Auth-Type: jwt`, `Authorization: <token>`",
            "test_credentials_are_refused_with_their_codes",
        ),
        S("`Bearer` does not belong before the token", "test_a_token_comes_without_the_word_bearer"),
        S(
            "server tokens have `resource`, `action` and `feed_id`",
            "test_server_tokens_open_exactly_what_their_claims_name",
        ),
        S(
            "`resource` is `activities`, `feed`, `follower` or `*`",
            "test_the_resource_of_a_token_names_the_endpoints_of_the_document",
        ),
        S(
            "`action` `read` is GET, OPTIONS and HEAD",
            "test_server_tokens_open_exactly_what_their_claims_name test_a_reading_call_may_ask_for_the_head_alone",
        ),
        S(
            "`action` `write` is POST, PUT and PATCH, `delete` is DELETE, `*` is all",
            "test_server_tokens_open_exactly_what_their_claims_name",
        ),
        S(
            "`feed_id` is the slug and the user id in one word, or `*`",
            "test_server_tokens_open_exactly_what_their_claims_name",
        ),
        S("user tokens have `user_id`", "test_user_tokens_follow_the_policy"),
        S("user tokens may have more fields", "test_a_user_token_may_have_more_fields"),
        S(
            "the fields of both do not overlap",
            "test_a_resource_claim_makes_a_server_token_whatever_user_it_names",
            "a token with `resource` and `user_id`",
        ),
        S(
            "a wrong signature is 401",
            "test_credentials_are_refused_with_their_codes",
            "a token signed by a wrong secret",
        ),
    ],
    "Activities": [
        S(
            "POST `activities/` updates by `foreign_id` and `time`",
            f"{_EXAMPLE} test_an_update_replaces_all_but_the_targets_on_every_feed",
        ),
        S(
            "`activities`: at most 100",
            "test_at_most_100_are_updated_changed_or_read_at_once test_at_most_100_activities_are_added_at_once",
        ),
        S("`time` cannot change", "test_the_time_of_an_activity_stays"),
        S("`enrich` in the path enriches", "test_activities_by_id_and_in_groups_are_enriched_alike"),
        S(
            "GET by `ids`, separated by commas",
            f"{_EXAMPLE} test_activities_are_read_by_id_in_the_order_asked_for",
        ),
        S(
            "GET by `foreign_ids` and `timestamps`",
            f"{_EXAMPLE} test_activities_are_read_by_foreign_id_and_time",
        ),
        S(
            "at most 100 of them, and as many timestamps as foreign ids",
            "test_unclear_reads_are_refused test_at_most_100_are_updated_changed_or_read_at_once",
        ),
        S(
            "`withRecentReactions`, `withOwnReactions`, `withReactionCounts`",
            "test_without_flags_no_keys_and_with_flags_all_of_them",
        ),
        S(
            "they work without `enrich`",
            "test_reactions_are_enriched_under_their_own_address_only",
            "reaction flags (`withOwnReactions` and the like)",
        ),
        S(
            "`recentReactionsLimit`: at most 25",
            "test_the_number_of_recent_reactions_is_the_readers_choice_up_to_a_limit",
        ),
        S(
            "user tokens do not reach it",
            "test_user_tokens_follow_the_policy",
            "user tokens on `activities/` and feeds",
        ),
    ],
    "Activity": [
        S("POST `activity/` with `changes`", f"{_EXAMPLE} test_single_and_batch_partial_updates"),
        S(
            "`changes`: at most 100",
            "test_at_most_100_are_updated_changed_or_read_at_once",
        ),
        S("named by `id`, or by `foreign_id` and `time`", "test_a_partial_update_names_one_known_activity"),
        S("dotted paths, whose parents exist", "test_a_bad_partial_update_changes_nothing"),
        S("`set` replaces, `unset` removes", "test_single_and_batch_partial_updates"),
        S("at most 25 keys each", "test_a_bad_partial_update_changes_nothing"),
        S("keys of `set` and `unset` must not collide", "test_a_bad_partial_update_changes_nothing"),
    ],
    "Feed": [
        S(
            "GET `feed/<slug>/<user_id>/`",
            f"{_EXAMPLE} test_an_activity_is_answered_with_exactly_the_documented_keys",
        ),
        S("`limit`: 25 without it", "test_the_default_page_is_25_and_the_largest_100"),
        S("`limit` has no maximum", "test_the_default_page_is_25_and_the_largest_100", "`limit` of feeds"),
        S("`id_lt`, `id_lte`, `id_gt`, `id_gte`", "test_pages_by_every_bound"),
        S("`offset`: 0 without it", "test_pages_by_every_bound"),
        S(
            "bounds of both sides are not supported",
            "test_bounds_of_both_sides_are_a_window",
            "mixing id bounds",
        ),
        S("aggregated feeds are paged by the ids of groups", "test_pages_of_groups_follow_next"),
        S(
            "the id of an activity inside of a group is an error",
            "test_the_id_of_a_group_is_a_place_for_ever",
            "ids in `id_lt` and the like",
        ),
        S(
            "`ranking` names a ranking method",
            "test_ranked_reads_order_by_score_and_tell_it test_unusable_rankings_are_refused",
        ),
        S(
            "`enrich` in the path enriches",
            "test_references_in_any_field_become_objects_and_plain_text_stays",
        ),
        S(
            "POST takes one activity",
            f"{_EXAMPLE} test_an_activity_is_answered_with_exactly_the_documented_keys",
        ),
        S("POST takes `activities`", "test_a_batch_is_answered_in_its_order_and_read_newest_last_first"),
        S(
            "`actor`, `verb` and `object` are required",
            "test_a_bad_activity_is_refused_by_its_field_and_nothing_is_written",
        ),
        S("`target` is optional", "test_an_activity_is_answered_with_exactly_the_documented_keys"),
        S("`time`: the current one without it", "test_without_a_time_the_server_gives_now_and_a_new_id"),
        S("`to` lists further feeds", "test_targets_and_their_followers_receive_with_the_documented_origins"),
        S(
            "`foreign_id` and `time` make an activity unique",
            "test_a_known_foreign_id_and_time_is_updated_in_place",
        ),
        S("all else are custom fields", "test_an_activity_is_answered_with_exactly_the_documented_keys"),
        S(
            "slugs and user ids are `\\w+`",
            "test_feed_names_hold_word_characters_and_hyphens",
            "user ids of feeds",
        ),
    ],
    "Feed detail": [
        S("DELETE by the activity's id", "test_removal_by_id_and_of_what_is_unknown"),
        S(
            "DELETE by `foreign_id`, with `foreign_id=1`",
            f"{_EXAMPLE} test_removal_by_foreign_id_takes_all_of_that_feed test_any_foreign_id_is_removed",
        ),
    ],
    "Followers": [
        S(
            "GET `feed/<slug>/<user_id>/followers/`",
            f"{_EXAMPLE} test_lists_are_newest_first_filtered_and_bounded",
        ),
        S(
            "`limit`: 25 without it; `offset`: at most 400",
            "test_lists_are_newest_first_filtered_and_bounded",
        ),
        S("the newest 500 can be read", "test_lists_are_newest_first_filtered_and_bounded"),
    ],
    "Following": [
        S(
            "GET `feed/<slug>/<user_id>/follows/`, with `limit` and `offset`",
            f"{_EXAMPLE} test_lists_are_newest_first_filtered_and_bounded",
        ),
        S("`filter` asks for some feeds", "test_lists_are_newest_first_filtered_and_bounded"),
        S("POST follows `target`", f"{_EXAMPLE} test_a_follow_copies_the_newest_and_forwards_the_rest"),
        S(
            "`activity_copy_limit`: 100 without it, at most 1000",
            "test_a_copy_limit_of_nought_copies_nothing_and_100_is_the_default test_a_bad_copy_limit_is_refused_in_the_documented_words",
        ),
        S("`activity_copy_limit` in the query", _EXAMPLE),
        S("DELETE `following/<target>/` and `follows/<target>/` unfollow", _EXAMPLE),
        S(
            "the activities go, unless `keep_history` is given",
            "test_an_unfollow_purges_unless_the_history_is_kept",
        ),
        S(
            "`keep_history`: the activities are not kept (the table)",
            "test_an_unfollow_purges_unless_the_history_is_kept test_a_no_keeps_no_history",
            "`keep_history`",
        ),
    ],
    "Batches": [
        S(
            "POST `feed/add_to_many/`",
            f"{_EXAMPLE} test_add_to_many_reaches_the_feeds_and_not_their_followers",
        ),
        S("at most 5,000 feeds", "test_a_bad_add_to_many_is_refused"),
        S(
            "its activity is as in a feed",
            "test_an_activity_for_many_feeds_is_as_in_a_feed_and_reaches_its_targets",
        ),
        S("POST `follow_many/`", f"{_EXAMPLE} test_many_are_followed_with_limits_of_their_own"),
        S("at most 2,500 follows", "test_batches_hold_at_most_2500"),
        S("`activity_copy_limit` in the query", "test_many_are_followed_with_limits_of_their_own"),
        S(
            "both need a token for `feed_id` `*`",
            "test_server_tokens_open_exactly_what_their_claims_name test_a_server_token_opens_nothing_else",
        ),
    ],
    "Reactions": [
        S("POST `reaction/`", f"{_EXAMPLE} test_a_reaction_is_answered_in_its_documented_form"),
        S("`kind`: 1 to 255 characters", "test_a_malformed_reaction_is_refused"),
        S("`activity_id` is the id of an activity", "test_a_malformed_reaction_is_refused"),
        S("`user_id`: 1 to 255 characters", "test_a_malformed_reaction_is_refused"),
        S("`data` is an object", "test_a_malformed_reaction_is_refused"),
        S("`target_feeds` lists feeds that show it", "test_a_reaction_is_one_activity_on_every_target"),
        S("`parent` has no parent", "test_three_levels_nest_and_the_fourth_is_refused", "nesting"),
        S("a user token gives the `user_id`", "test_a_reaction_is_its_token_holders"),
        S("an id that is there is 409", "test_a_client_may_choose_the_id_once"),
        S(
            "the answer's fields",
            "test_a_reaction_is_answered_in_its_documented_form test_objects_beside_the_feeds",
        ),
        S(
            "`latest_children` and `children_counts` are by kind",
            "test_the_ten_newest_children_of_all_kinds_are_told",
        ),
        S("GET `reaction/<id>/`", f"{_EXAMPLE} test_a_reaction_is_answered_in_its_documented_form"),
        S("DELETE `reaction/<id>/`", f"{_EXAMPLE} test_a_deleted_reaction_is_gone"),
        S(
            "its answer is empty",
            "test_the_answer_of_a_deletion_is_an_object_with_nothing_but_its_duration",
            "the answer to a deletion",
        ),
        S(
            "PUT replaces `data`, which is required",
            f"{_EXAMPLE} test_an_update_replaces_the_data_and_nothing_else test_a_change_without_data_erases_nothing",
        ),
        S("PUT replaces `target_feeds`", "test_an_update_moves_it_and_none_takes_it_away"),
        S(
            "a user's reaction reaches `user:jimmy`",
            "test_a_user_token_reaches_no_user_feed_of_others_by_a_reaction",
            "targets of user tokens",
        ),
    ],
    "Reactions in pages": [
        S(
            "by `activity_id`, `reaction_id` or `user_id`",
            "test_lists_are_newest_first_by_activity_user_and_parent",
        ),
        S("of one `kind`", "test_lists_are_newest_first_by_activity_user_and_parent"),
        S("`limit`: 10 without it; more than 25 are 25", "test_a_page_has_ten_and_at_most_twenty_five"),
        S("`id_gte`, `id_gt`, `id_lte`, `id_lt`", f"{_EXAMPLE} test_pages_go_down_and_up_and_end"),
        S("with `id_lt` newest first, with `id_gt` oldest first", "test_pages_go_down_and_up_and_end"),
        S(
            "bounds of both sides are not supported",
            "test_reactions_are_bounded_on_one_side",
        ),
        S("`with_activity_data` adds `activity`", "test_a_list_brings_the_activity_when_asked"),
        S(
            "`next` is the next page's address",
            "test_next_leads_on_and_is_empty_at_the_end test_next_never_repeats_skips_or_fails",
        ),
    ],
    "Open graph": [
        S(
            "GET `og/?url=`",
            "test_a_page_is_told_and_remembered test_a_url_is_required_and_of_bearable_length",
        ),
        S(
            "`title`, `type`, `url`, `site`, `site_name`, `description`, `determiner`, `locale`",
            "test_every_field_and_group_is_told",
        ),
        S("`images`, `videos`, `audios`", "test_every_field_and_group_is_told"),
        S(
            "images: `image`, `url`, `secure_url`, `width`, `height`, `type`, `alt`, all text",
            "test_every_field_and_group_is_told",
        ),
        S("videos: the same, `image` included", "test_every_field_and_group_is_told"),
        S("audios: `audio`, `url`, `secure_url`, `type`", "test_every_field_and_group_is_told"),
    ],
    "Collections": [
        S("POST `collections/<name>/`", f"{_EXAMPLE} test_an_entry_is_created_read_replaced_and_deleted"),
        S("`id` is optional", "test_an_entry_without_an_id_gets_one"),
        S("`data` is required", "test_a_malformed_entry_is_refused"),
        S("a user token gives the `user_id`", "test_entries_are_read_by_anybody_and_changed_by_their_owners"),
        S("an id that is there is 409", "test_data_are_checked_before_the_id_is_looked_for"),
        S(
            "the answer's fields",
            "test_an_entry_is_created_read_replaced_and_deleted test_objects_beside_the_feeds",
        ),
        S("`foreign_id` is `<name>:<id>`", "test_an_entry_is_created_read_replaced_and_deleted"),
        S(
            "GET, PUT and DELETE `collections/<name>/<id>/`",
            f"{_EXAMPLE} test_an_entry_is_created_read_replaced_and_deleted",
        ),
        S("PUT replaces `data`", "test_the_id_of_an_entry_stays"),
    ],
    "Collections in batches": [
        S(
            "GET by `foreign_ids`, at most 1000",
            f"{_EXAMPLE} test_a_thousand_entries_are_selected_at_once_and_no_more",
        ),
        S("its answer is `{response: {data: []}}`", "test_flat_items_are_stored_whole_and_selected_in_order"),
        S(
            "POST `{data: {<name>: [{id, data, user_id}]}}`",
            f"{_EXAMPLE} test_items_in_the_form_of_the_document_are_stored_by_their_data_and_owner",
        ),
        S(
            "items are of this form alone",
            "test_flat_items_are_stored_whole_and_selected_in_order",
            "items of `POST collections/`",
        ),
        S("one id only once in a collection", "test_one_id_twice_in_a_batch_is_refused"),
        S(
            "the answer is a clone of `data`",
            "test_items_in_the_form_of_the_document_are_stored_by_their_data_and_owner",
        ),
        S(
            "DELETE by `collection_name` and `ids`, of one collection",
            f"{_EXAMPLE} test_many_are_deleted test_batches_name_what_they_are_about",
        ),
    ],
    "Files": [
        S(
            "POST `files/` with a form's field `file`",
            "test_a_file_comes_and_goes test_an_upload_needs_a_file",
        ),
        S(
            "the answer's `file` is a public address",
            "test_an_upload_is_read_at_its_address_under_its_own_name",
        ),
        S("DELETE by `url`", "test_deleting_takes_the_bytes_too"),
        S("by server tokens and user tokens", "test_users_delete_and_refresh_only_what_they_uploaded"),
    ],
    "Images": [
        S(
            "POST `images/` with a form's field `file`",
            "test_an_image_comes_in_every_size test_an_image_is_uploaded_in_chunks",
        ),
        S("GET by `url` makes another size", "test_an_image_comes_in_every_size"),
        S("of anybody's image", "test_only_the_uploader_processes_an_image", "images of other users"),
        S("`resize`: `clip` without it, `crop`, `scale`, `fill`", "test_each_mode_makes_its_size"),
        S(
            "`crop`: `center` without it, `top`, `bottom`, `left`, `right`, several of them",
            "test_a_crop_keeps_the_side_that_is_named",
        ),
        S("`w` and `h` are optional numbers", "test_sizes_are_numbers_and_none_is_the_image_as_it_is"),
        S("DELETE by `url`", "test_a_deleted_image_is_gone_in_every_size"),
    ],
    "Users": [
        S(
            "POST `user/` with `id` and `data`",
            f"{_EXAMPLE} test_a_user_is_created_read_replaced_and_deleted",
        ),
        S("`id`: 1 to 255 characters", "test_a_malformed_user_is_refused"),
        S("`get_or_create`; without it 409", "test_a_second_creation_conflicts_or_answers_the_first"),
        S(
            "the answer's fields",
            "test_a_user_is_created_read_replaced_and_deleted test_objects_beside_the_feeds",
        ),
        S("GET, PUT and DELETE `user/<id>/`", f"{_EXAMPLE} test_a_user_is_created_read_replaced_and_deleted"),
        S(
            "`with_follow_counts` adds `followers_count` and `following_count`",
            "test_follow_counts_are_between_timelines_and_user_feeds",
        ),
        S("PUT replaces `data`, which is required", "test_a_change_without_data_erases_nothing"),
    ],
    "Advice to clients": [
        S("the location is an option", "test_a_location_is_part_of_the_host"),
        S(
            "the timeout is an option, 3 seconds without it",
            "test_version_timeout_and_base_url_are_given_by_position test_bad_configuration_is_refused_with_its_name",
        ),
        S("names are checked before a call", "test_slugs_and_user_ids_are_refused_by_name"),
        S("errors are mapped to classes", "test_every_row_of_the_table_has_its_class"),
        S(
            "`STREAM_URL` has all that a client needs",
            "test_a_stream_url_is_read test_connect_reads_the_real_environment",
        ),
        S("a signature is the feed's name and its token", "test_a_feed_has_a_token_of_its_own"),
    ],
}

PYTHON: Sections = {
    "stream.client": [
        S(
            "`StreamClient(api_key, api_secret, app_id, version, timeout, base_url)`",
            "test_version_timeout_and_base_url_are_given_by_position",
        ),
        S("`base_url` is an attribute of the class", "test_the_class_says_where_the_hosted_api_is"),
        S(
            "its value is `https://getstream.io/api/`",
            "test_the_class_says_where_the_hosted_api_is",
            "`StreamClient.base_url`",
        ),
        S(
            "`get`, `post` and `delete` make requests",
            "test_the_small_helpers_keep_their_place test_our_request_is_the_official_client_s_but_for_the_listed_differences",
        ),
        S("`feed(feed_slug, user_id)`", "test_feeds_have_the_same_attributes"),
        S("`get_default_params()` has the API key", "test_the_small_helpers_keep_their_place"),
        S("`get_full_url(relative_url)`", "test_a_full_url_is_asked_for_by_name"),
        S("`get_user_agent()`", "test_the_small_helpers_keep_their_place"),
        S(
            "`raise_exception(result, status_code)`",
            "test_raise_exception_raises_what_an_envelope_stands_for",
        ),
    ],
    "stream.exceptions": [
        S(
            "`ApiKeyException`, `CustomFieldException`, `FeedConfigException`, `InputException`, `SignatureException`, `SiteSuspendedException`, `StreamApiException`",
            "test_exceptions_have_the_names_of_the_official_client",
        ),
        S(
            "their `code` and `status_code`",
            "test_every_class_with_a_code_has_its_row test_every_row_of_the_table_has_its_class",
        ),
        S("`get_exceptions()`, `get_exception_dict()`", "test_every_row_of_the_table_has_its_class"),
    ],
    "stream.feed": [
        S("`Feed(client, feed_slug, user_id, token)`", "test_a_feed_has_a_token_of_its_own"),
        S(
            "`add_activity`, `add_activities`",
            "test_it_adds_reads_and_removes test_it_adds_a_batch_and_pages",
        ),
        S(
            "`add_to_signature(recipients)`",
            "test_our_request_is_the_official_client_s_but_for_the_listed_differences test_what_sends_nothing_answers_at_once",
        ),
        S("`follow`, `unfollow`", "test_it_follows_and_unfollows test_a_target_may_be_given_in_every_form"),
        S(
            "`followers(offset, limit, feeds)`, `following(offset, limit, feeds)`",
            "test_it_follows_and_unfollows",
        ),
        S("`get(limit, id_lte)`, `get(limit, offset)`", "test_it_adds_a_batch_and_pages"),
        S(
            "`remove_activity(activity_id, foreign_id)`",
            "test_it_adds_reads_and_removes test_any_foreign_id_arrives_whole",
        ),
    ],
    "stream.signing": [
        S(
            "`sign(api_secret, feed_id)`",
            "test_the_legacy_signature_is_that_of_the_published_vector test_the_modules_have_their_names",
        ),
        S("`b64_encode(s)`", "test_the_modules_have_their_names"),
    ],
    "stream.utils": [
        S(
            "`validate_feed_id`, `validate_feed_slug`, `validate_user_id`",
            "test_the_modules_have_their_names",
        ),
        S("`ValueError` for what is none", "test_the_modules_have_their_names"),
    ],
    "stream": [
        S(
            "`connect(api_key, api_secret, app_id, version, timeout)`",
            "test_version_timeout_and_base_url_are_given_by_position",
        ),
        S("`api_key` may be a whole address", "test_connect_takes_a_whole_url_in_place_of_the_key"),
    ],
}

DOCUMENTS = {"The REST document": REST, "The Python document": PYTHON}


@cache
def tests_by_name() -> Mapping[str, str]:
    """Where each test is."""
    found: dict[str, str] = {}
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("test_*.py")):
            for node in ast.parse(path.read_text()).body:
                if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                    found.setdefault(node.name, str(path.relative_to(ROOT)))
    return found


@cache
def reasons() -> Mapping[str, str]:
    """What docs/differences.md says, by topic."""
    rows = re.findall(r"^\| (.+?) \| (.+) \|$", DIFFERENCES.read_text(), re.MULTILINE)
    return dict(rows[2:])


def statements() -> Iterator[Statement]:
    for sections in DOCUMENTS.values():
        for section in sections.values():
            yield from section


def page() -> str:
    """The page, as it should be."""
    every = list(statements())
    agreed = sum(not one.topic for one in every)
    lines = [
        "# Conformance",
        "",
        "What the documents of the API say, statement by statement, and which test of this project shows it. "
        f"{agreed} of {len(every)} are as documented; of the others this page has the reason, in the words "
        "of [differences](../differences.md). The page is written from the suite "
        "(`python -m tests.contract.statements`), which fails when the two differ.",
    ]
    for title, sections in DOCUMENTS.items():
        lines += ["", f"## {title}"]
        for section, rows in sections.items():
            lines += ["", f"### {section}", "", "| statement | here | shown by |", "| --- | --- | --- |"]
            lines += [_row(one) for one in rows]
    return "\n".join(lines) + "\n"


def _row(statement: Statement) -> str:
    here = "as documented" if not statement.topic else f"differs: {reasons()[statement.topic]}"
    shown = ", ".join(f"`{name.removeprefix('test_')}`" for name in statement.tests.split())
    return f"| {statement.text} | {here} | {shown} |"


if __name__ == "__main__":
    PAGE.write_text(page())
