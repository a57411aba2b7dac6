"""Checks the documents: every link has a target, and lists that repeat the code are complete."""

import json
import pathlib
import re
import subprocess
import tomllib
import unittest

ROOT = pathlib.Path(__file__).parent.parent
TRACKED = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
PAGES = [ROOT / name for name in TRACKED if name.endswith(".md")]
TEMPLATE = (ROOT / "template.yaml").read_text()
GUIDE = (ROOT / "functions/README.md").read_text()


def sources(file):
    """Returns the text of the files with this name in the shared crates."""
    return "".join((ROOT / name).read_text() for name in TRACKED if re.fullmatch(rf"shared/(?:.*/)?{re.escape(file)}", name))


def prose(page):
    """Returns the page without its code blocks."""
    return re.sub(r"^ *```.*?^ *```", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)


def anchors(page):
    """Returns the anchors of a page's headings, as GitHub creates them."""
    headings = re.findall(r"^#+ (.*)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


class Links(unittest.TestCase):
    def test_every_link_has_a_file_and_a_heading(self):
        checked = 0
        for page in PAGES:
            text = prose(page)
            targets = re.findall(r"\]\(([^)\s]+)\)", text) + re.findall(r'src="([^"]+)"', text)
            for target in targets:
                if re.match(r"[a-z]+:", target):
                    continue
                checked += 1
                name, _, anchor = target.partition("#")
                file = (page.parent / name).resolve() if name else page
                with self.subTest(page=page.relative_to(ROOT), target=target):
                    self.assertTrue(file.exists())
                    if anchor:
                        self.assertIn(anchor, anchors(file))
        self.assertGreater(checked, 50)

    def test_every_page_can_be_reached_from_the_readme(self):
        seen, left = set(), [ROOT / "README.md"]
        while left:
            page = left.pop()
            if page in seen or page.suffix != ".md":
                continue
            seen.add(page)
            names = re.findall(r"\]\(([^)#\s:]+)[^)]*\)", prose(page))
            left += [(page.parent / name).resolve() for name in names]
        self.assertEqual([str(page.relative_to(ROOT)) for page in PAGES if page not in seen], [])


class Crates(unittest.TestCase):
    ORDER = ("schema", "filter", "domain", "lambda", "fetch", "store", "web", "openapi")

    def test_each_shared_crate_uses_only_those_below_it(self):
        folders = {name.split("/")[1] for name in TRACKED if re.fullmatch(r"shared/[^/]+/Cargo.toml", name)}
        self.assertEqual(folders, set(self.ORDER))
        for position, crate in enumerate(self.ORDER):
            manifest = tomllib.loads((ROOT / f"shared/{crate}/Cargo.toml").read_text())
            used = set(manifest["dependencies"]) & folders
            with self.subTest(crate=crate):
                self.assertLessEqual(used, set(self.ORDER[:position]))

    def test_rules_need_no_crate_for_aws_http_or_async(self):
        outside = re.compile(r"(aws|lambda|http|hyper|axum|tower|tokio|async|futures|reqwest|redis|rustls|mio)\b.*")
        tree = ["cargo", "tree", "--offline", "--locked", "--edges", "normal", "--prefix", "none", "--manifest-path"]
        for crate in ("schema", "filter", "domain"):
            lines = subprocess.run([*tree, f"shared/{crate}/Cargo.toml"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
            with self.subTest(crate=crate):
                self.assertEqual([line for line in lines.splitlines() if outside.match(line)], [])

    def test_what_is_built_without_tests_has_none(self):
        command = ["cargo", "metadata", "--offline", "--locked", "--no-deps", "--format-version", "1"]
        metadata = json.loads(subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout)
        targets = [target for package in metadata["packages"] for target in package["targets"] if not target["test"]]
        self.assertGreater(len(targets), 20)
        for target in targets:
            root = pathlib.Path(target["src_path"])
            for source in root.parent.rglob("*.rs") if target["kind"] == ["lib"] else [root]:
                with self.subTest(source=source):
                    tests = re.search(r"#\[(tokio::)?test|cfg\(test|proptest!", source.read_text())
                    self.assertIsNone(tests, "remove `test = false` from the manifest, or these tests do not run")


class Lists(unittest.TestCase):
    def test_the_guide_names_every_function(self):
        functions = {name.split("/")[1] for name in TRACKED if re.fullmatch(r"functions/[^/]+/Cargo.toml", name)}
        self.assertIn("mailer", functions)
        table = GUIDE.partition("- [Authentication]")[0]
        named = set(re.findall(r"`([a-z-]+)`", table))
        self.assertEqual(functions - named, set())

    def test_the_readme_counts_the_functions(self):
        counted = re.search(r"(\d+) Lambda functions", (ROOT / "README.md").read_text())
        self.assertEqual(int(counted[1]), TEMPLATE.count("Type: AWS::Serverless::Function"))

    def test_the_guide_names_every_path(self):
        # Routes for HEAD are those of GET.
        paths = set(re.findall(r'\bMethod: (?!HEAD)\w+, Path: "?(/[^\s"]*)"? \}', TEMPLATE))
        self.assertGreater(len(paths), 25)
        table = GUIDE.partition("## Routes and permissions")[2].partition("## Requests")[0]
        pages = {"/", "/assets/{file}", "/console", "/explorer", "/signup", "/validate/{leadId}"}
        for path in paths - pages:
            # A row has the whole path, or its end after another path with the same first segment.
            parts = [path] + [path[at:] for at, letter in enumerate(path) if at and letter == "/"]
            ends = [part for part in parts if re.search(rf"[` …]{re.escape(part)}(\?\w+=)?`", table)]
            with self.subTest(path=path):
                self.assertRegex(table, rf"[` ]/{path.split('/')[1]}[/`]")
                self.assertTrue(ends)

    def test_the_guide_explains_every_error_code(self):
        document = json.loads((ROOT / "functions/home/assets/openapi.json").read_text())
        codes = set()
        for response in document["components"]["responses"].values():
            examples = response["content"]["application/json"].get("examples", {})
            codes |= {(str(example["value"]["error"]["statusCode"]), code) for code, example in examples.items()}
        self.assertGreater(len(codes), 30)
        table = GUIDE.partition("### Error codes")[2].partition("###")[0]
        self.assertEqual(codes, set(re.findall(r"^\| (\d+) \| `([A-Z_]+)` \|", table, re.MULTILINE)))

    def test_pages_read_only_codes_that_exist(self):
        document = (ROOT / "functions/home/assets/openapi.json").read_text()
        codes = set(json.loads(document)["components"]["schemas"]["Error"]["properties"]["error"]["properties"]["code"]["enum"])
        met = set()
        for name in TRACKED:
            if re.fullmatch(r"functions/home/assets/(?:common|signup)/[\w-]+\.js", name):
                read = set(re.findall(r"\b[A-Z]{3,}(?:_[A-Z]+)+\b", (ROOT / name).read_text()))
                met |= read
                with self.subTest(name):
                    self.assertEqual(read - codes, set())
        self.assertTrue(met)

    def test_the_guide_explains_every_event(self):
        names = re.findall(r"^    ((?:Lead|Tenant|Subscription|Entitlements)[A-Z]\w+),$", sources("event_type.rs"), re.MULTILINE)
        events = {re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).upper() for name in names}
        self.assertGreater(len(events), 5)
        table = GUIDE.partition("## Events")[2].partition("## Identity")[0]
        self.assertEqual(events - set(re.findall(r"`([A-Z_]+)`", table)), set())

    def test_the_architecture_lists_every_key_of_the_table(self):
        prefixes = set(re.findall(r'"([A-Z_]+#)', sources("key.rs")))
        self.assertGreater(len(prefixes), 10)
        table = (ROOT / "shared/README.md").read_text().partition("## The table")[2].partition("## Events")[0]
        self.assertEqual({prefix for prefix in prefixes if f"`{prefix}" not in table}, set())

    def test_every_shared_crate_has_a_page(self):
        crates = [ROOT / name for name in TRACKED if re.fullmatch(r"shared/\w+/Cargo.toml", name)]
        self.assertTrue(crates)
        self.assertEqual([str(crate) for crate in crates if not (crate.parent / "README.md").exists()], [])

    def test_every_variable_of_a_function_is_explained(self):
        used = set(re.findall(r"^ {10,12}([A-Z][A-Z0-9_]+): ", TEMPLATE, re.MULTILINE))
        self.assertGreater(len(used), 40)
        table = (ROOT / "infra/README.md").read_text().partition("## Variables")[2]
        explained = set(re.findall(r"`([A-Z][A-Z0-9_]+)`", table))
        # `X_ARN` may be written as "or `…_ARN`" next to `X`.
        explained |= {name + "_ARN" for name in explained}
        self.assertEqual(used - explained, set())


if __name__ == "__main__":
    unittest.main()
