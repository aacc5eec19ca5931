"""What a search may see and in which order, over the real engine."""

import math

import pytest

from .conftest import Server

CHUNKS = "/collections/chunks"
ALICE = {"must": [{"key": "allow", "match": {"any": ["user:alice", "group:staff"]}}]}
ALICE_NOT_DENIED = {**ALICE, "must_not": [{"key": "deny", "match": {"any": ["user:alice", "group:staff"]}}]}


def create(server: Server) -> None:
    server.call(
        "PUT",
        CHUNKS,
        {
            "vectors": {"dense": {"size": 2, "distance": "Cosine"}},
            "sparse_vectors": {"bm25": {"modifier": "idf"}, "raw": {}},
            "metadata": {"embedding": "all-MiniLM-L6-v2"},
        },
    )


def point(number: int, dense: list[float], terms: dict[int, float], **payload: object) -> dict[str, object]:
    sparse = {"indices": list(terms), "values": list(terms.values())}
    return {"id": number, "vector": {"dense": dense, "bm25": sparse}, "payload": payload}


@pytest.fixture
def corpus(vectors: Server) -> Server:
    create(vectors)
    points = [
        point(1, [1, 0], {7: 1}, allow=["user:alice"], deny=[], public=True, pages=3, text="the quick fox"),
        point(2, [1, 0.1], {7: 1}, allow=["user:bob"], deny=[], public=False, pages=5, text="a lazy dog"),
        point(3, [1, 0.2], {7: 1}, allow=["group:staff"], deny=["user:alice"], public=True, pages=8, owner=None),
        point(4, [0, 1], {9: 1}, allow=["group:staff"], deny=[], parts=[{"kind": "x", "n": 1}, {"kind": "y", "n": 2}]),
        point(5, [0.1, 1], {7: 1, 9: 1}),  # No permission at all.
    ]
    vectors.call("PUT", f"{CHUNKS}/points?wait=true", {"points": points})
    return vectors


def ids(server: Server, where: object) -> list[int]:
    result = server.call("POST", f"{CHUNKS}/points/scroll", {"filter": where, "limit": 100})
    return [found["id"] for found in result["points"]]


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        (ALICE, [1, 3, 4]),
        (ALICE_NOT_DENIED, [1, 4]),
        ({"must": [{"key": "allow", "match": {"any": []}}]}, []),
        ({"must": [{"key": "allow", "match": {"except": ["user:bob"]}}]}, [1, 3, 4]),
        ({"must": [{"key": "public", "match": {"value": True}}]}, [1, 3]),
        ({"must_not": [{"key": "public", "match": {"value": True}}]}, [2, 4, 5]),
        ({"must": {"key": "pages", "match": {"value": 5}}}, [2]),
        ({"must": [{"key": "pages", "range": {"gt": 3, "lte": 8}}]}, [2, 3]),
        ({"must": [{"key": "text", "match": {"text": "quick"}}]}, [1]),
        ({"must": [{"has_id": [1, 5]}]}, [1, 5]),
        ({"must": [{"is_empty": {"key": "deny"}}]}, [1, 2, 4, 5]),
        ({"must": [{"is_null": {"key": "owner"}}]}, [3]),
        ({"should": [{"has_id": [1]}, {"key": "pages", "match": {"value": 8}}]}, [1, 3]),
        ({"must": [{"should": [{"has_id": [1]}, {"must": [{"has_id": [2]}]}]}]}, [1, 2]),
        (
            {"min_should": {"conditions": [{"has_id": [1, 3]}, ALICE, {"has_id": [3]}], "min_count": 3}},
            [3],
        ),
        (
            {"must": [{"nested": {"key": "parts", "filter": {"must": [
                {"key": "kind", "match": {"value": "x"}}, {"key": "n", "match": {"value": 2}}]}}}]},
            [],
        ),
        (
            {"must": [{"nested": {"key": "parts", "filter": {"must": [
                {"key": "kind", "match": {"value": "y"}}, {"key": "n", "match": {"value": 2}}]}}}]},
            [4],
        ),
    ],
)  # fmt: skip
def test_a_filter_selects_exactly_the_points_that_match(corpus: Server, where: object, expected: list[int]) -> None:
    assert ids(corpus, where) == expected
    assert corpus.call("POST", f"{CHUNKS}/points/count", {"filter": where}) == {"count": len(expected)}


@pytest.mark.parametrize(
    "condition",
    [
        {"key": "allow"},
        {"key": "allow", "match": {"value": "a"}, "range": {"gt": 1}},
        {"key": "allow", "matches": {"any": ["a"]}},
        {"key": "allow", "match": {"anyof": ["a"]}},
        {"key": "allow", "match": {"any": ["a", 1]}},
        {"key": "allow", "match": {"value": 1.5}},
        {"key": "a[", "match": {"value": "x"}},
        {"is_empty": {"key": "a", "kee": "b"}},
        {"has_id": [True]},
        {"mustt": []},
        "allow",
    ],
)
def test_a_condition_that_is_not_understood_is_refused_not_ignored(corpus: Server, condition: object) -> None:
    status, message = corpus.refuse("POST", f"{CHUNKS}/points/scroll", {"filter": {"must": [condition]}})
    assert status == 400
    assert message.startswith("Wrong input: ")


def test_permissions_hold_in_both_legs_of_a_fused_search(corpus: Server) -> None:
    body = {
        "prefetch": [
            {"query": [1, 0], "using": "dense", "limit": 10, "filter": ALICE_NOT_DENIED},
            {"query": {"indices": [7], "values": [1]}, "using": "bm25", "limit": 10, "filter": ALICE_NOT_DENIED},
        ],
        "query": {"fusion": "rrf"},
        "with_payload": True,
        "limit": 10,
    }
    points = corpus.call("POST", f"{CHUNKS}/points/query", body)["points"]
    assert [found["id"] for found in points] == [1, 4]
    # RRF as Qdrant has it: the sum of 1 / (2 + rank), ranks from 0. Point 1 leads both legs, point 4 is second in one.
    assert [found["score"] for found in points] == pytest.approx([1 / 2 + 1 / 2, 1 / 3], rel=1e-6)
    assert points[0]["payload"]["allow"] == ["user:alice"]


def test_fusion_weights_nested_prefetches_and_thresholds_reach_the_engine(corpus: Server) -> None:
    dense = {"query": [0, 1], "using": "dense", "limit": 2}
    sparse = {"query": {"indices": [7], "values": [1]}, "using": "raw", "limit": 2}
    body = {"prefetch": [{"prefetch": [dense], "query": {"nearest": [1, 0]}, "using": "dense", "limit": 1}, sparse],
            "query": {"rrf": {"k": 10, "weights": [3, 1]}}}  # fmt: skip
    points = corpus.call("POST", f"{CHUNKS}/points/query", body)["points"]
    assert [found["id"] for found in points] == [5]  # Nearest to [1, 0] among the two nearest to [0, 1].
    assert points[0]["payload"] is None
    near = corpus.call(
        "POST",
        f"{CHUNKS}/points/query",
        {"query": [1, 0], "using": "dense", "score_threshold": 0.9, "with_vector": ["dense"]},
    )["points"]
    assert [found["id"] for found in near] == [1, 2, 3]
    assert near[0]["vector"] == {"dense": [1.0, 0.0]}


def test_a_batch_answers_each_search_in_order(corpus: Server) -> None:
    searches = [{"query": [1, 0], "using": "dense", "limit": 1}, {"query": [0, 1], "using": "dense", "limit": 1}]
    answers = corpus.call("POST", f"{CHUNKS}/points/query/batch", {"searches": searches})
    assert [[found["id"] for found in answer["points"]] for answer in answers] == [[1], [4]]


def test_sparse_scores_are_bm25_with_the_idf_of_the_collection(vectors: Server) -> None:
    """Four documents by hand: 'gpu' (1) is in all of them, 'kernel' (2) in two, 'panic' (3) in one.

    Stored values are BM25's term-frequency part, the query's are 1, and the modifier multiplies each term by
    idf = ln(1 + (N - n + 0.5) / (n + 0.5)): Robertson and Zaragoza, "The Probabilistic Relevance Framework" (2009).
    """
    create(vectors)

    def tf(count: int, length: int, average: float = 4.0, k: float = 1.2, b: float = 0.75) -> float:
        return count * (k + 1) / (count + k * (1 - b + b * length / average))

    documents = {
        1: ({1: 5, 2: 1}, 6),  # Often the common word: must lose against the rare one.
        2: ({1: 1, 3: 1}, 2),
        3: ({1: 1, 2: 2}, 3),
        4: ({1: 5}, 5),
    }
    points = [
        point(n, [1, 0], {t: tf(c, length) for t, c in counts.items()}) for n, (counts, length) in documents.items()
    ]
    vectors.call("PUT", f"{CHUNKS}/points", {"points": points})

    appears_in = {term: sum(term in counts for counts, _ in documents.values()) for term in (1, 2, 3)}
    idf = {term: math.log(1 + (4 - n + 0.5) / (n + 0.5)) for term, n in appears_in.items()}
    by_hand = {
        n: sum(idf[term] * tf(count, length) for term, count in counts.items())
        for n, (counts, length) in documents.items()
    }
    query = {"query": {"indices": [1, 2, 3], "values": [1, 1, 1]}, "using": "bm25", "limit": 10}
    found = vectors.call("POST", f"{CHUNKS}/points/query", query)["points"]
    assert [p["id"] for p in found] == sorted(by_hand, key=by_hand.__getitem__, reverse=True) == [2, 3, 1, 4]
    assert [p["score"] for p in found] == pytest.approx([by_hand[p["id"]] for p in found], rel=1e-5)


def test_idf_can_be_that_of_the_documents_a_reader_may_see(corpus: Server) -> None:
    """Otherwise scores tell how often a word occurs in documents that the reader must not know of."""
    query = {"query": {"indices": [7], "values": [1]}, "using": "bm25", "filter": ALICE_NOT_DENIED}
    scoped = {**query, "params": {"idf": {"corpus": ALICE_NOT_DENIED}}}
    score = corpus.call("POST", f"{CHUNKS}/points/query", scoped)["points"][0]["score"]
    assert score == pytest.approx(math.log(1 + (2 - 1 + 0.5) / (1 + 0.5)), rel=1e-5)


def test_an_acl_change_takes_effect_without_a_new_vector(corpus: Server) -> None:
    query = {"query": [1, 0], "using": "dense", "filter": ALICE, "with_vector": True, "limit": 1}
    before = corpus.call("POST", f"{CHUNKS}/points/query", query)["points"][0]
    corpus.call("POST", f"{CHUNKS}/points/payload", {"payload": {"allow": ["user:bob"]}, "points": [1]})
    assert ids(corpus, ALICE) == [3, 4]
    kept = corpus.call("POST", f"{CHUNKS}/points", {"ids": [1], "with_vector": True})[0]
    assert kept["vector"] == before["vector"]
    assert kept["payload"]["text"] == "the quick fox"

    by_filter = {"payload": {"allow": []}, "filter": {"must": [{"key": "allow", "match": {"value": "group:staff"}}]}}
    corpus.call("POST", f"{CHUNKS}/points/payload", by_filter)
    assert ids(corpus, ALICE) == []
    corpus.call("PUT", f"{CHUNKS}/points/payload", {"payload": {"allow": ["user:alice"]}, "points": [4]})
    assert ids(corpus, ALICE) == [4]
    assert corpus.call("POST", f"{CHUNKS}/points", {"ids": [4]})[0]["payload"] == {"allow": ["user:alice"]}
    corpus.call("POST", f"{CHUNKS}/points/payload/delete", {"keys": ["allow"], "points": [4]})
    assert corpus.call("POST", f"{CHUNKS}/points", {"ids": [4]})[0]["payload"] == {}


def test_scroll_pages_through_everything_once(corpus: Server) -> None:
    seen: list[int] = []
    offset = None
    while True:
        page = corpus.call("POST", f"{CHUNKS}/points/scroll", {"limit": 2, "offset": offset, "with_payload": False})
        seen += [found["id"] for found in page["points"]]
        offset = page["next_page_offset"]
        if offset is None:
            break
    assert seen == [1, 2, 3, 4, 5]


def test_deleting_by_id_and_by_filter_leaves_the_rest(corpus: Server) -> None:
    corpus.call("POST", f"{CHUNKS}/points/delete", {"points": [1, 99]})
    corpus.call(
        "POST", f"{CHUNKS}/points/delete", {"filter": {"must": [{"key": "allow", "match": {"any": ["group:staff"]}}]}}
    )
    assert ids(corpus, {}) == [2, 5]
