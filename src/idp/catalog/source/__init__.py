"""Where catalog files are: folders, git repositories, forges, a Backstage."""
